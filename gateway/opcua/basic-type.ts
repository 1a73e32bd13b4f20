// Which built-in type values of a data type have (OPC 10000-3, 5.8.3; OPC 10000-6, 5.1.2). The library's own look at this
// takes any numeric node id up to 25 for a built-in type, whatever its namespace.

import type { BrowseResult, DataType, NodeId } from 'node-opcua-client'
import { within } from './patience.ts'
import type { Session } from './session.ts'

/** OPC 10000-6, Annex A: the last built-in type, Enumeration, HasSubtype. */
const ids = { last: 25, enumeration: 29, hasSubtype: 45 } as const
const mostSteps = 20

/** A built-in type's name; undefined for an abstract one such as Number, and where the server does not tell. */
export async function basicType(
  session: Session,
  dataType: NodeId,
  timeout: number,
): Promise<keyof typeof DataType | undefined> {
  const { library, client, lost } = session
  let at: NodeId | undefined = dataType
  for (let step = 0; at !== undefined && step < mostSteps; step++) {
    if (at.namespace === 0 && at.value === ids.enumeration) return 'Int32'
    if (at.namespace === 0 && typeof at.value === 'number' && at.value <= ids.last)
      return library.DataType[at.value] as keyof typeof DataType
    const asked: Promise<BrowseResult> = client.browse({
      nodeId: at,
      browseDirection: library.BrowseDirection.Inverse,
      referenceTypeId: library.coerceNodeId(ids.hasSubtype, 0),
      includeSubtypes: true,
      resultMask: 0,
    })
    const { references }: BrowseResult = await within(timeout, 'asking for a data type', asked, lost)
    at = references?.[0]?.nodeId
  }
  return undefined
}
