import t from 'tap'
import { Place } from '../../../core/shape.ts'
import { opcUaOptions } from '../../../gateway/opcua/options.ts'

const url = 'opc.tcp://plc:4840'
const node = { name: 'a', node: 'ns=2;s=A' }

function problems(raw: Readonly<Record<string, unknown>>): readonly string[] {
  const place = new Place()
  opcUaOptions.read({ url, nodes: [node], ...raw }, place)
  return place.problems.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

t.test('unless it says otherwise, a connection is signed and encrypted', async t => {
  const { security, mode } = opcUaOptions.read({ url, nodes: [node] }, new Place())
  t.match(security, { mode: 'SignAndEncrypt', policy: 'Basic256Sha256', trust_first: false })
  t.equal(mode, 'auto')
})

t.test('node ids as the standard writes them', async t => {
  const ids = [
    'i=2258',
    'ns=3;s=a;b=c "d"',
    'nsu=urn:x:y;i=1',
    'ns=1;g=72962B91-FA75-4AE6-8D28-B404DC7DAF63',
    'ns=1;b=AQI=',
  ]
  for (const id of ids) t.strictSame(problems({ nodes: [{ name: 'a', node: id }] }), [], id)
  for (const id of ['', 'A', 'ns=2', 'ns=x;i=1', 'i=-1', 's=', 'g=1', 'ns=2;x=1'])
    t.match(problems({ nodes: [{ name: 'a', node: id }] }), [/^nodes\.0\.node: expected a node id such as/], id)
})

t.test('mistakes are told with the node they concern', async t => {
  const again = { ...node, node: 'ns=2;s=B' }
  t.strictSame(problems({ nodes: [node, again] }), ['nodes.1: node a is already given as number 1 of this list'])
  t.match(problems({ nodes: [{ ...node, deadband: '101%' }] }), [/^nodes\.0\.deadband: expected a number, or a part/])
  t.match(problems({ nodes: [{ ...node, samplin: '1s' }] }), [/unknown key samplin; did you mean/])
})

t.test('what belongs together', async t => {
  t.match(problems({ user: { name: 'x' } }), [/either name and password_file, or certificate and key/])
  t.match(problems({ user: { name: 'x', password: 'y' } })[0], /a secret does not belong in this file/)
  t.match(problems({ security: { certificate: '/c.pem' } }), [/certificate and key belong together/])
  t.match(problems({ security: { policy: 'Basic128Rsa15' } }), [/expected one of Basic256Sha256/])
  t.match(problems({ url: 'opc.tcp://user:secret@plc' })[0], /\*\*\*@plc/)
})
