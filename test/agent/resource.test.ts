import t from 'tap'
import { resourceOf } from '../../agent/resource.ts'
import type { Source } from '../../agent/source.ts'
import { object } from '../../core/shape.ts'
import { version } from '../../core/version.ts'
import { fakeHost } from './fake-host.ts'

const source = (name: string, resource?: Source<unknown>['resource']): Source<unknown> => ({
  name,
  options: object({}),
  metrics: [],
  open: () => ({ run: async () => {} }),
  ...(resource && { resource }),
})
const known = [
  source('plain'),
  source('telling', () => ({ 'os.type': 'linux', 'host.name': 'other', 'host.id': 'raw' })),
  source('failing', () => {
    throw new Error('/etc/os-release: expected NAME=value')
  }),
]

t.test('configured sources add to the resource, the configuration goes first, a failure is said', async t => {
  const said: string[] = []
  const sources = known.map(({ name }) => ({ type: name, name, options: {} }))
  const config = { node: 'web-1', daemon: 'agent', attributes: { 'host.id': 'hidden' }, sources } as const
  const resource = resourceOf(config, known, fakeHost(t.testdir({})), (_, message) => void said.push(message))
  t.strictSame(resource, {
    'os.type': 'linux',
    'host.name': 'web-1',
    'host.id': 'hidden',
    'service.name': 'fieldline-agent',
    'service.version': version,
  })
  t.strictSame(said, ['source failing: no resource attributes: /etc/os-release: expected NAME=value'])
})

t.test('a source that is not configured adds nothing', async t => {
  const config = { node: 'web-1', daemon: 'agent', attributes: {}, sources: [] } as const
  t.notOk('os.type' in resourceOf(config, known, fakeHost(t.testdir({})), () => {}))
})
