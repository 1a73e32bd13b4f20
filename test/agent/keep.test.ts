import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { fileKeep, memoryKeep } from '../../agent/keep.ts'

t.test('what was saved last is there after a restart', async t => {
  const file = `${t.testdir({})}/sources/log.json`
  t.equal(fileKeep(file).load(), undefined)
  fileKeep(file).save('one')
  fileKeep(file).save('two')
  t.equal(fileKeep(file).load(), 'two')
})

t.test('a disk that does not take it throws, and the old text is still there', async t => {
  const folder = t.testdir({})
  const file = `${folder}/log.json`
  const keep = fileKeep(file)
  keep.save('one')
  mkdirSync(`${file}.new`)
  t.throws(() => keep.save('two'), /EISDIR/)
  t.equal(keep.load(), 'one')
  rmSync(`${file}.new`, { recursive: true })
  keep.save('three')
  t.equal(readFileSync(file, 'utf8'), 'three')
})

t.test('one in memory outlives nothing', async t => {
  const keep = memoryKeep('before')
  t.equal(keep.load(), 'before')
  keep.save('after')
  t.equal(keep.load(), 'after')
})

t.test('a part of it is another file beside it', async t => {
  const file = join(t.testdir(), 'plc.json')
  const keep = fileKeep(file)
  keep.part('alarms').save('two')
  t.equal(keep.load(), undefined)
  keep.save('one')
  t.strictSame(readdirSync(dirname(file)).toSorted(), ['plc.json', 'plc~alarms.json'])
  t.equal(fileKeep(file).part('alarms').load(), 'two')
})

t.test('in memory a part is found again, too', async t => {
  const keep = memoryKeep('one')
  keep.part('alarms').save('two')
  t.equal(keep.part('alarms').load(), 'two')
  t.equal(keep.load(), 'one')
})
