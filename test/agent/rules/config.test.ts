import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { gatewayShape } from '../../../cli/daemons.ts'
import { ConfigError, parseConfig } from '../../../core/config.ts'

const bad = new URL('bad/', import.meta.url).pathname

t.test('what is wrong with rules and orders is told with their names and the register concerned', async t => {
  const shape = await gatewayShape()
  for (const name of readdirSync(bad).filter(n => n.endsWith('.yaml'))) {
    const check = () => parseConfig(name, readFileSync(join(bad, name), 'utf8')).check(shape)
    const message = readFileSync(join(bad, name.replace('.yaml', '.txt')), 'utf8').trimEnd()
    t.throws(check, new ConfigError(message), name)
  }
})
