// An OPC UA server: a PLC, a historian, an aggregating server. docs/opcua.md is the guide for whoever stands at the cabinet.

import { join } from 'node:path'
import type { Source } from '../../agent/source.ts'
import { defaultState } from '../../core/config-shapes.ts'
import type { Json } from '../../core/model.ts'
import { permit } from '../opcua/allowed.ts'
import { extrasOf } from '../opcua/extras.ts'
import { type OpcUaOptions, opcUaOptions } from '../opcua/options.ts'
import { followServer } from '../opcua/server.ts'

/** Where the gateway's certificates lie unless the configuration says otherwise: all its sources are one client. */
export function certificateFolder({ security }: Pick<OpcUaOptions, 'security'>): string {
  return security.folder ?? join(defaultState('gateway'), 'opcua')
}

export const opcua: Source<OpcUaOptions> = {
  name: 'opcua',
  options: opcUaOptions,
  metrics: undefined,
  writes: ({ nodes }) =>
    Object.fromEntries(
      nodes.flatMap(({ name, write }) => (write ? [[name, (value: Json) => permit(write, value, name)]] : [])),
    ),
  open: (options, at) => followServer(options, at, certificateFolder(options), extrasOf(options, at)),
}
