import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { agentShape, gatewayShape } from '../../../cli/daemons.ts'
import { ConfigError, parseConfig } from '../../../core/config.ts'

const bad = new URL('bad/', import.meta.url).pathname

t.test(
  'what is wrong with detectors of an edge is told as a collector tells it, and what an edge cannot judge',
  async t => {
    const shape = await gatewayShape()
    for (const name of readdirSync(bad).filter(n => n.endsWith('.yaml'))) {
      const check = () => parseConfig(name, readFileSync(join(bad, name), 'utf8')).check(shape)
      const message = readFileSync(join(bad, name.replace('.yaml', '.txt')), 'utf8').trimEnd()
      t.throws(check, new ConfigError(message), name)
    }
  },
)

t.test('a node or a pattern that is this node is fine', async t => {
  const detectors = [{ type: 'threshold', metric: 'a', above: 1, node: 'n-*' }]
  const raw = { daemon: 'agent', node: 'n-1', sources: [], uplinks: [], detectors }
  const text = JSON.stringify(raw)
  t.match(parseConfig('agent.yaml', text).check(await agentShape(raw)).detectors, [{ name: 'threshold' }])
})
