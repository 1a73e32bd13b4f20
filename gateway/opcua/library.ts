// node-opcua-client, loaded when the first OPC UA source starts: it takes more memory than all the rest of a gateway.

import type { IClientTransportFactory } from 'node-opcua-transport'
import { guarded } from './transport.ts'

export type Library = typeof import('node-opcua-client') & { readonly transportFactory: IClientTransportFactory }

let loading: Promise<Library> | undefined

export function library(): Promise<Library> {
  loading ??= load()
  return loading
}

async function load(): Promise<Library> {
  const library = await import('node-opcua-client')
  const { ClientTCP_transport } = await import('node-opcua-transport')
  // What it would print, coloured and over many lines, is said by whoever asked it for something.
  const silent = (): void => {}
  library.setWarningLogger(silent)
  library.setErrorLogger(silent)
  // Of each status code that it does not know it writes a line past its own loggers; nobody else here writes to the console.
  console.warn = silent
  return { ...library, transportFactory: guarded(ClientTCP_transport) }
}
