import { DataType, DataValue, StatusCodes, Variant, VariantArrayType, type VariantOptions } from 'node-opcua-client'
import t from 'tap'
import { Draft } from '../../../gateway/opcua/draft.ts'
import { leavesOf } from '../../../gateway/opcua/leaves.ts'
import { type Common, trackedNodes } from '../../../gateway/opcua/nodes.ts'
import { isOverflow, qualityOf } from '../../../gateway/opcua/quality.ts'
import { type BuiltIn, scalarOf } from '../../../gateway/opcua/scalars.ts'
import { isImpossible, timeOf } from '../../../gateway/opcua/time.ts'
import { optionsOf } from './following.ts'

const now = Date.UTC(2026, 5, 1)
const clocks = { now, skew: 0, maxSkew: 60_000 }
const bounds = { text: 10, elements: 4, fields: 10, depth: 2 }

/** As it comes from the wire: what the library makes of the value it is given. */
function variant(options: VariantOptions): Variant {
  return new Variant(options)
}

t.test('each built-in type is a number or a text', async t => {
  const cases: readonly (readonly [BuiltIn, unknown, unknown])[] = [
    ['Boolean', true, { number: 1 }],
    ['Boolean', false, { number: 0 }],
    ['SByte', -128, { number: -128 }],
    ['Byte', 255, { number: 255 }],
    ['Int16', -32_768, { number: -32_768 }],
    ['UInt32', 4_294_967_295, { number: 4_294_967_295 }],
    ['Int64', [0xffff_ffff, 0xffff_fffe], { number: -2 }],
    ['Int64', [0x7fff_ffff, 0xffff_ffff], { number: 2 ** 63, rounded: true }],
    ['Int64', [0x1f_ffff, 0xffff_ffff], { number: Number.MAX_SAFE_INTEGER }],
    ['UInt64', [0xffff_ffff, 0xffff_ffff], { number: 2 ** 64, rounded: true }],
    ['Double', Number.NaN, undefined],
    ['Float', Number.POSITIVE_INFINITY, undefined],
    ['String', 'on', { text: 'on' }],
    ['String', 'longer than ten', { text: 'longer th…' }],
    ['String', null, undefined],
    ['DateTime', new Date(1500), { number: 1.5 }],
    ['Guid', '72962B91-FA75-4AE6-8D28-B404DC7DAF63', { text: '72962B91-…' }],
    ['ByteString', Buffer.from([1, 2, 255]), { text: 'AQL/' }],
    ['XmlElement', '<a/>', { text: '<a/>' }],
    ['LocalizedText', { text: 'an', locale: 'de' }, { text: 'an' }],
    ['LocalizedText', { text: null, locale: 'de' }, undefined],
    ['QualifiedName', { name: 'q', namespaceIndex: 1 }, { text: 'q' }],
    ['StatusCode', StatusCodes.BadTimeout, { number: 0x800a_0000, name: 'BadTimeout' }],
  ]
  for (const [type, raw, expected] of cases)
    t.strictSame(scalarOf(type, raw, bounds.text), expected, `${type} ${String(raw)}`)
})

t.test('elements of arrays have an index, those of matrices one for each dimension', async t => {
  const array = variant({ dataType: DataType.Int16, arrayType: VariantArrayType.Array, value: [7, 8] })
  t.strictSame(leavesOf(array, bounds).leaves, [
    { path: '', index: '0', value: { number: 7 } },
    { path: '', index: '1', value: { number: 8 } },
  ])
  const matrix = variant({
    dataType: DataType.Byte,
    arrayType: VariantArrayType.Matrix,
    dimensions: [2, 2],
    value: [1, 2, 3, 4],
  })
  t.strictSame(
    leavesOf(matrix, bounds).leaves.map(({ index }) => index),
    ['0,0', '0,1', '1,0', '1,1'],
  )
})

t.test('what is too long or too deep is left out, and that is said', async t => {
  const long = variant({ dataType: DataType.Byte, arrayType: VariantArrayType.Array, value: [1, 2, 3, 4, 5] })
  t.match(leavesOf(long, bounds), { cut: true, leaves: { length: 4 } })
  t.match(leavesOf(long, { ...bounds, elements: 5 }), { cut: false, leaves: { length: 5 } })
})

t.test('the source says when, then the server, then the gateway', async t => {
  const source = new Date(now - 2000)
  const server = new Date(now - 1000)
  t.equal(timeOf({ sourceTimestamp: source, serverTimestamp: server }, clocks), now - 2000)
  t.equal(timeOf({ sourceTimestamp: null, serverTimestamp: server }, clocks), now - 1000)
  t.equal(timeOf({ sourceTimestamp: null, serverTimestamp: null }, clocks), now)
})

t.test('a time stamp that cannot be is none: from before 2000, or from the future', async t => {
  const server = new Date(now - 1000)
  for (const wrong of [new Date(0), new Date(Date.UTC(1601, 0, 1)), new Date(now + 61_000)]) {
    t.equal(timeOf({ sourceTimestamp: wrong, serverTimestamp: server }, clocks), now - 1000)
    t.equal(isImpossible({ sourceTimestamp: wrong, serverTimestamp: server }, clocks), true)
  }
  t.equal(timeOf({ sourceTimestamp: new Date(now + 59_000), serverTimestamp: server }, clocks), now + 59_000)
})

t.test('time stamps of a server whose clock is known to be wrong are set right', async t => {
  const wrong = { ...clocks, skew: 3_600_000 }
  t.equal(timeOf({ sourceTimestamp: new Date(now + 3_599_000), serverTimestamp: null }, wrong), now - 1000)
  const bearable = { ...clocks, skew: 50_000 }
  t.equal(timeOf({ sourceTimestamp: new Date(now + 49_000), serverTimestamp: null }, bearable), now + 49_000)
})

t.test('status codes: good, uncertain, bad, and the bit that says that a queue ran over', async t => {
  t.match(qualityOf(StatusCodes.Good), { class: 'good' })
  t.match(qualityOf(StatusCodes.GoodClamped), { class: 'good' })
  t.match(qualityOf(StatusCodes.UncertainLastUsableValue), { class: 'uncertain', text: 'UncertainLastUsableValue' })
  t.match(qualityOf(StatusCodes.BadNoCommunication), { class: 'bad', text: 'BadNoCommunication' })
  t.equal(
    qualityOf(StatusCodes.BadNoCommunication),
    qualityOf(StatusCodes.BadNoCommunication),
    'a change is seen by identity',
  )
  t.equal(isOverflow({ value: 0x0000_0480 } as typeof StatusCodes.Good), true)
  t.equal(isOverflow(StatusCodes.Good), false)
})

const options = optionsOf({ url: 'opc.tcp://plc', nodes: [{ name: 'a', node: 'i=1' }] })
const common: Common = { ...options, source: 'plc' }
const value = (status: (typeof StatusCodes)[keyof typeof StatusCodes], v?: VariantOptions) =>
  new DataValue({
    statusCode: status as typeof StatusCodes.Good,
    sourceTimestamp: new Date(now),
    ...(v && { value: v }),
  })
const double = (n: number): VariantOptions => ({ dataType: DataType.Double, value: n })

t.test('uncertain values are kept and told, or left out where that is configured', async t => {
  for (const [uncertain, kept] of [
    ['keep', 1],
    ['drop', 0],
  ] as const) {
    const [node] = trackedNodes(options.nodes, { ...common, uncertain })
    const draft = new Draft(clocks)
    node!.take(value(StatusCodes.UncertainLastUsableValue, double(3)), draft)
    const { samples, events } = draft.observation('plc')
    t.equal(samples.length, kept)
    t.match(events, [{ name: 'opcua.quality.uncertain', body: { status: 'UncertainLastUsableValue' } }])
  }
})

t.test('good without a value is no value, and told', async t => {
  const [node] = trackedNodes(options.nodes, common)
  const draft = new Draft(clocks)
  node!.take(value(StatusCodes.Good, double(Number.NaN)), draft)
  node!.take(value(StatusCodes.Good), draft)
  t.match(draft.observation('plc'), {
    samples: { length: 0 },
    events: [{ name: 'opcua.quality.bad', body: { status: 'Good, but no value' } }],
  })
})

t.test('texts are told when they change, and only then', async t => {
  const [node] = trackedNodes(options.nodes, common)
  const draft = new Draft(clocks)
  for (const text of ['a', 'a', 'b'])
    node!.take(value(StatusCodes.Good, { dataType: DataType.String, value: text }), draft)
  t.strictSame(
    draft.observation('plc').events.map(({ body }) => body),
    [{ value: 'a' }, { value: 'b' }],
  )
})

t.test('of more than a hundred nodes that go bad at once it is told together', async t => {
  const many = Array.from({ length: 250 }, (_, n) => ({ ...options.nodes[0]!, name: `n${n}` }))
  const draft = new Draft(clocks)
  for (const node of trackedNodes(many, common)) node.take(value(StatusCodes.BadNoCommunication), draft)
  const { events } = draft.observation('plc')
  t.strictSame(
    events.map(({ body }) => (body as { nodes: readonly string[] }).nodes.length),
    [100, 100, 50],
  )
})

t.test('a source has no more series than it may, and says that it has left out others', async t => {
  const [node] = trackedNodes(options.nodes, { ...common, limits: { ...common.limits, series: 2 } })
  const draft = new Draft(clocks)
  node!.take(
    value(StatusCodes.Good, { dataType: DataType.Byte, arrayType: VariantArrayType.Array, value: [1, 2, 3] }),
    draft,
  )
  t.equal(draft.samples.length, 2)
  t.match(draft.oddities, [{ oddity: 'cut' }])
})
