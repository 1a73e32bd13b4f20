import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { checked } from '../../cli/check.ts'

const folder = new URL('../../packaging/config/', import.meta.url).pathname

t.test('every example configuration is right', async t => {
  const files = globSync('**/*.yaml', { cwd: folder })
  for (const daemon of ['agent', 'gateway', 'collector']) t.ok(files.includes(`${daemon}.yaml`))
  for (const file of files) {
    const { daemon } = await checked(join(folder, file))
    t.match(basename(file), new RegExp(`^${daemon}`))
  }
})
