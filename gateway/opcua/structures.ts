// Structures of the server's own types arrive as bytes; the library reads their definitions from the server and decodes
// them. Definitions are read once a session.

import type { DataValue } from 'node-opcua-client'
import { within } from './patience.ts'
import { builtIn } from './scalars.ts'
import type { Session } from './session.ts'

/** Decodes what is still bytes, in place. What cannot be decoded stays as it is, and is no value. */
export async function promoted(
  session: Session,
  items: readonly { readonly value: DataValue }[],
  timeout: number,
): Promise<void> {
  const structures = items
    .filter(({ value }) => value.value.dataType === builtIn.ExtensionObject)
    .map(({ value }) => value)
  if (structures.length === 0) return
  const { promoteOpaqueStructure } = session.library
  await within(timeout, 'reading types', promoteOpaqueStructure(session.client, structures), session.lost).catch(
    () => {},
  )
}
