// One value of a built-in type (OPC 10000-6, 5.1.2) as the library gives it, to a number or a text.

/** A number, with the name that goes with it where it has one, or a text. */
export type Scalar =
  | {
      readonly number: number
      readonly name?: string
      /** What the device says has more digits than a number of 64 bits can hold. */
      readonly rounded?: true
    }
  | { readonly text: string }

/** OPC 10000-6, Table 1. */
export const builtIn = {
  Boolean: 1,
  SByte: 2,
  Byte: 3,
  Int16: 4,
  UInt16: 5,
  Int32: 6,
  UInt32: 7,
  Int64: 8,
  UInt64: 9,
  Float: 10,
  Double: 11,
  String: 12,
  DateTime: 13,
  Guid: 14,
  ByteString: 15,
  XmlElement: 16,
  NodeId: 17,
  ExpandedNodeId: 18,
  StatusCode: 19,
  QualifiedName: 20,
  LocalizedText: 21,
  ExtensionObject: 22,
  DataValue: 23,
  Variant: 24,
} as const

export type BuiltIn = keyof typeof builtIn

const names = new Map<number, BuiltIn>(Object.entries(builtIn).map(([name, id]) => [id, name as BuiltIn]))

export function nameOf(type: number): BuiltIn | undefined {
  return names.get(type)
}

/** Undefined where it is no value: nothing, NaN, infinite, or not what the type says. `most` bounds a text's characters. */
export function scalarOf(type: BuiltIn, raw: unknown, most: number): Scalar | undefined {
  if (raw === null || raw === undefined) return undefined
  switch (type) {
    case 'Boolean':
      return { number: raw === true ? 1 : 0 }
    case 'Int64':
    case 'UInt64':
      return long(raw, type === 'Int64')
    case 'DateTime':
      return raw instanceof Date ? finite(raw.getTime() / 1000) : undefined
    case 'StatusCode':
      return named(raw)
    default:
      return typeof raw === 'number' ? finite(raw) : texted(type, raw, most)
  }
}

function finite(number: number): Scalar | undefined {
  return Number.isFinite(number) ? { number } : undefined
}

/** The library has it as its high and its low word. */
function long(raw: unknown, signed: boolean): Scalar | undefined {
  if (!Array.isArray(raw) || raw.length !== 2) return undefined
  const [high, low] = [Number(raw[0]), Number(raw[1])]
  const number = (signed ? high | 0 : high >>> 0) * 2 ** 32 + (low >>> 0)
  return Number.isSafeInteger(number) ? { number } : { number, rounded: true }
}

function named(raw: unknown): Scalar | undefined {
  const { value, name } = raw as { value?: unknown; name?: unknown }
  return typeof value === 'number' ? { number: value >>> 0, name: String(name) } : undefined
}

function texted(type: BuiltIn, raw: unknown, most: number): Scalar | undefined {
  const text = type === 'ByteString' ? base64(raw, most) : textOf(raw)
  return text === undefined ? undefined : { text: cut(text, most) }
}

function base64(raw: unknown, most: number): string | undefined {
  return raw instanceof Uint8Array ? Buffer.from(raw.subarray(0, most)).toString('base64') : undefined
}

/** LocalizedText and QualifiedName keep what is to be read in a field. */
function textOf(raw: unknown): string | undefined {
  if (typeof raw !== 'object' || raw === null) return String(raw)
  const { text, name } = raw as { text?: unknown; name?: unknown }
  if ('text' in raw) return typeof text === 'string' ? text : undefined
  return typeof name === 'string' ? name : String(raw)
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}
