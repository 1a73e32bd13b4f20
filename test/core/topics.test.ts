import t from 'tap'
import { channels, everyNode, parseTopic, shardOf, shards, topic } from '../../core/topics.ts'

t.test('a topic tells its place again', async t => {
  for (const channel of channels) {
    const place = { tenant: 'default', node: 'web-1', channel }
    t.strictSame(parseTopic(topic(place)), place)
  }
})

t.test('the shard is CRC-32 of tenant/node modulo 64', async t => {
  // python3 -c "import zlib; print(zlib.crc32(b'default/web-1') % 64)"
  t.equal(shardOf('default', 'web-1'), 39)
  t.equal(topic({ tenant: 'acme', node: 'press.7_b', channel: 'up' }), 'fieldline/v1/acme/52/press.7_b/up')
})

t.test('a fleet spreads over every shard', async t => {
  const seen = new Set(Array.from({ length: 1000 }, (_, n) => shardOf('default', `node-${n}`)))
  t.equal(seen.size, shards)
})

t.test('a subscription covers every shard and node of one tenant', async t => {
  t.equal(everyNode('acme', 'status'), 'fieldline/v1/acme/+/+/status')
})

const wrong = [
  '',
  'fieldline',
  'fieldline/v1/default/0/web-1/up',
  'fieldline/v2/default/39/web-1/up',
  'other/v1/default/39/web-1/up',
  'fieldline/v1/default/39/web-1/down',
  'fieldline/v1/default/39/web-1/up/more',
  'fieldline/v1/default/39/web-1',
  'fieldline/v1/default/064/web-1/up',
  'fieldline/v1/default/39/web 1/up',
  'fieldline/v1/default/39//up',
  'fieldline/v1//39/web-1/up',
  `fieldline/v1/default/39/${'x'.repeat(65)}/up`,
]
for (const text of wrong) {
  t.test(`${JSON.stringify(text.slice(0, 60))} is no topic of ours`, async t => t.equal(parseTopic(text), undefined))
}
