import { mkdirSync, readFileSync, rmSync } from 'node:fs'
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
