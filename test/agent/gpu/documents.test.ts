import t from 'tap'
import { Documents } from '../../../agent/gpu/documents.ts'
import { seeded } from '../../random.ts'

const one = '<?xml version="1.0" ?>\n<nvidia_smi_log>\n<gpu>é</gpu>\n</nvidia_smi_log>\n'
const bare = '<nvidia_smi_log>\n</nvidia_smi_log>'

t.test('documents are the same in whatever pieces they come', async t => {
  const random = seeded(t)
  const printed = Buffer.from(`GPU is lost\n${one}\n${one}${bare}noise`)
  for (let n = 0; n < 300; n++) {
    const documents = new Documents('it')
    const found: unknown[] = []
    const most = n === 0 ? 1 : 40
    for (let at = 0; at < printed.length; ) {
      const length = 1 + random.below(most)
      found.push(...documents.take(printed.subarray(at, at + length)))
      at += length
    }
    const whole = one.trimEnd()
    t.strictSame(found, [
      { said: 'GPU is lost', xml: whole },
      { said: '', xml: whole },
      { said: '', xml: bare },
    ])
    t.equal(documents.rest, 'noise')
  }
})

t.test('what is none and does not end is bounded', async t => {
  const documents = new Documents('it')
  const piece = Buffer.alloc(1024 ** 2, 'x')
  for (let n = 0; n < 8; n++) t.strictSame([...documents.take(piece)], [])
  t.throws(() => [...documents.take(piece)], /it: printed 8388608 bytes without ending a document/)
  t.ok(documents.rest.length <= 4096)
})
