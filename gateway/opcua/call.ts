// Orders to call a method: only one that the configuration lists, with arguments within what it declares.

import type { CallMethodResult, NodeId, VariantOptions } from 'node-opcua-client'
import type { Act } from '../../agent/source.ts'
import { Refused } from '../../core/errors.ts'
import type { Json } from '../../core/model.ts'
import { list, object, optional, text } from '../../core/shape.ts'
import { allowed, permit } from './allowed.ts'
import { basicType } from './basic-type.ts'
import { jsonOf, variantOf } from './coerce.ts'
import type { Extra } from './extra.ts'
import { nodeIdText } from './node-id-text.ts'
import type { OpcUaOptions } from './options.ts'
import { within } from './patience.ts'
import { refusing } from './refusing.ts'
import type { Session } from './session.ts'

const method = object(
  {
    name: text,
    object: nodeIdText,
    method: nodeIdText,
    /** One for each input argument, in the method's order. */
    arguments: optional(list(allowed, 100), []),
  },
  'a method',
)

export const methods = optional(list(method, 1000), [])

type Method = ReturnType<typeof method.read>

export function calls(options: Pick<OpcUaOptions, 'methods' | 'timeout'>): Extra {
  let session: Session | undefined

  const call: Act = async ({ method: name, arguments: given = [] }, signal) => {
    const method = options.methods.find(m => m.name === name)
    if (method === undefined) throw new Refused(`there is no method named ${JSON.stringify(name)}`)
    const values = permitted(method, given)
    if (session === undefined || session.lost.aborted) throw new Error(`calling ${method.name}: not connected`)
    signal.throwIfAborted()
    return callMethod(session, method, values, options.timeout)
  }

  return {
    connected: async current => {
      session = current
    },
    actions: { call },
  }
}

function permitted({ name, arguments: declared }: Method, given: Json): readonly (number | string | boolean)[] {
  if (!Array.isArray(given) || given.length !== declared.length)
    throw new Refused(`${name} takes ${declared.length} arguments, in a list`)
  return declared.map((one, n) => permit(one, given[n] as Json, `argument ${n + 1} of ${name}`))
}

async function callMethod(
  session: Session,
  method: Method,
  values: readonly (number | string | boolean)[],
  timeout: number,
): Promise<Json> {
  const [objectId, methodId] = [session.nodeId(method.object), session.nodeId(method.method)]
  const doing = `calling ${method.name}`
  const inputArguments = await variants(session, methodId, method.name, values, timeout)
  const called = session.client.call({ objectId, methodId, inputArguments })
  const result = await within(timeout, doing, called, session.lost)
  if (result.statusCode.isNotGood()) throw refusing(result.statusCode, `${doing}${wrongArguments(result)}`)
  return (result.outputArguments ?? []).map(jsonOf)
}

/** Typed as the server declares its input arguments (OPC 10000-3, 5.7.2). */
async function variants(
  session: Session,
  methodId: NodeId,
  name: string,
  values: readonly (number | string | boolean)[],
  timeout: number,
): Promise<VariantOptions[]> {
  const asked = session.client.getArgumentDefinition(methodId)
  const { inputArguments } = await within(timeout, `asking for the arguments of ${name}`, asked, session.lost)
  if (inputArguments.length !== values.length)
    throw new Refused(`${name}: the server's method takes ${inputArguments.length} arguments, not ${values.length}`)
  return Promise.all(
    values.map(async (value, n) => {
      const what = `argument ${n + 1} of ${name}`
      const type = await basicType(session, inputArguments[n]!.dataType, timeout)
      return variantOf(type ?? typeOf(value), value, what)
    }),
  )
}

/** For an argument that is declared as any number, or as anything. */
function typeOf(value: number | string | boolean): 'Double' | 'String' | 'Boolean' {
  return typeof value === 'number' ? 'Double' : typeof value === 'string' ? 'String' : 'Boolean'
}

function wrongArguments({ inputArgumentResults }: CallMethodResult): string {
  const wrong = (inputArgumentResults ?? []).flatMap((status, n) =>
    status.isNotGood() ? [` (argument ${n + 1}: ${status.name})`] : [],
  )
  return wrong.join('')
}
