import t from 'tap'
import { usualSources } from '../../agent/usual-sources.ts'

t.test('every source that goes without options is there, as often as asked or as its own reasons let it', async t => {
  const found = new Map(usualSources('1s').map(({ type, interval }) => [type, interval]))
  t.equal(found.get('cpu'), '1s')
  t.ok(found.has('inventory'))
  t.equal(found.get('inventory'), undefined, 'an hour is usual for it')
  t.notOk(found.has('prometheus'), 'it must be told what to scrape')
})
