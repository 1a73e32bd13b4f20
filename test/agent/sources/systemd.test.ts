import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { memoryKeep } from '../../../agent/keep.ts'
import { systemd } from '../../../agent/sources/systemd.ts'
import { parseManager, parseResults, parseServices, parseUnits, type Service } from '../../../agent/systemd/answers.ts'
import { Follower } from '../../../agent/systemd/follow.ts'
import { Place } from '../../../core/shape.ts'
import { seeded } from '../../random.ts'
import { machine, readings, sourceContract } from '../source-contract.ts'

const cases = join(import.meta.dirname, 'systemd')
sourceContract(t, systemd, cases)

const recorded = (name: string): string => readFileSync(join(cases, 'debian-12', name), 'utf8')

t.test('between two questions nothing is asked, unless units came or went', async t => {
  const { host } = machine(t, join(cases, 'debian-12'))
  let asked = 0
  const counting = {
    ...host,
    run: async (...question: Parameters<typeof host.run>) => {
      asked++
      return host.run(...question)
    },
  }
  const made = await readings(systemd, systemd.options.read({ interval: '1s' }, new Place()), counting, 35)
  t.equal(made.filter(r => Object.keys(r.values).length > 0).length, 2)
  t.equal(asked, 6)
})

t.test('a machine without systemd as its first process is asked nothing', async t => {
  const { host } = machine(t, join(cases, 'debian-12'))
  const bare = { ...host, list: () => [], run: async () => t.fail('asked') as never }
  const [reading] = await readings(systemd, systemd.options.read({}, new Place()), bare, 1)
  t.strictSame([reading!.success, reading!.values], [true, {}])
})

t.test('a question that fails is a failed reading that names the command', async t => {
  const { host } = machine(t, join(cases, 'debian-12'))
  const mute = {
    ...host,
    run: async () => ({ status: 1, stdout: Buffer.alloc(0), stderr: 'Failed to connect to bus' }),
  }
  const made = await readings(systemd, systemd.options.read({ interval: '1s' }, new Place()), mute, 40)
  t.strictSame([...new Set(made.map(r => r.success))], [false], 'also between two questions')
  t.equal(made.at(-1)!.said.length, 1)
  t.match(made.at(-1)!.said[0], /systemctl list-units: ended with 1: Failed to connect to bus/)
})

const service = (told: Partial<Service>): Service => ({
  name: 'a.service',
  active: 'active',
  sub: 'running',
  result: 'success',
  restarts: 0,
  restartsAlways: true,
  restartsSometimes: true,
  status: 0,
  since: 1000,
  ...told,
})

const namesOf = (follower: Follower, told: Partial<Service>, results: readonly string[] = []): readonly string[] =>
  follower.look(service(told), results, 1).map(e => e.name.replace('systemd.unit.', ''))

t.test('each thing that happens to a service is told once, also over restarts of the agent', async t => {
  const keep = memoryKeep()
  let follower = new Follower(keep.load())
  const again = (): void => {
    const text = follower.text()
    if (text !== undefined) keep.save(text)
    follower = new Follower(keep.load())
  }
  t.strictSame(namesOf(follower, { restarts: 7 }), [], 'what was so before is no news')
  again()
  t.strictSame(namesOf(follower, { restarts: 8 }, ['watchdog']), ['restarted', 'watchdog_timeout'])
  again()
  t.strictSame(namesOf(follower, { restarts: 8 }), [])
  const failed = { active: 'failed', restarts: 9, result: 'exit-code', since: 2000 }
  t.strictSame(namesOf(follower, failed), ['restarted', 'failed', 'start_limit_hit'])
  again()
  t.strictSame(namesOf(follower, failed), [])
  t.strictSame(namesOf(follower, { ...failed, since: 3000 }), ['failed', 'start_limit_hit'], 'it failed once more')
  again()
  t.strictSame(namesOf(follower, { restarts: 0, since: 4000 }), ['recovered'])
  t.strictSame(namesOf(follower, { restarts: 1, since: 5000 }), ['restarted'], 'a count begins again')
})

t.test('a service that fails for another reason than too many restarts is not said to have hit the limit', async t => {
  t.strictSame(namesOf(new Follower(undefined), { active: 'failed', restartsAlways: false, restarts: 3 }), ['failed'])
  t.strictSame(namesOf(new Follower(undefined), { active: 'failed', restarts: 0 }), ['failed'])
  t.strictSame(namesOf(new Follower(undefined), { active: 'failed', result: 'watchdog' }), [
    'watchdog_timeout',
    'failed',
  ])
})

t.test('a failed service that is unloaded has recovered, and a damaged memory is as good as none', async t => {
  const follower = new Follower('{"a.ser')
  namesOf(follower, { active: 'failed' })
  t.strictSame(follower.keepOnly(new Map([['a.service', '']]), 1), [])
  t.match(follower.keepOnly(new Map(), 1), [{ name: 'systemd.unit.recovered', body: { sub_state: 'unloaded' } }])
  t.strictSame(follower.keepOnly(new Map(), 1), [])
})

t.test('marks, jobs and escaped names of other versions are read', async t => {
  const lines = [
    '● nginx.service loaded failed failed A web server',
    '* nfs.mount not-found inactive dead nfs.mount',
    '  dev-disk-by\\x2did-x.device loaded active plugged',
    'a@b.service loaded activating auto-restart start A job',
  ]
  t.strictSame(parseUnits('x', `${lines.join('\n')}\n`), [
    { name: 'nginx.service', active: 'failed', sub: 'failed' },
    { name: 'nfs.mount', active: 'inactive', sub: 'dead' },
    { name: 'dev-disk-by\\x2did-x.device', active: 'active', sub: 'plugged' },
    { name: 'a@b.service', active: 'activating', sub: 'auto-restart' },
  ])
})

t.test('damaged answers end in an error that names the command, or in what the whole says', async t => {
  fuzz(t, recorded('units-input.txt'), text => parseUnits('asked', text))
  fuzz(t, recorded('services-input.txt'), text => parseServices('asked', text))
  fuzz(t, recorded('manager-input.txt'), text => parseManager('asked', text))
  fuzz(t, recorded('results-later.txt'), parseResults)
})

function fuzz(t: Test, whole: string, parse: (text: string) => unknown): void {
  const random = seeded(t)
  const truth = JSON.stringify(parse(whole))
  for (let n = 0; n < 500; n++) {
    const at = random.below(whole.length)
    const noise = Array.from({ length: 5 }, () => String.fromCharCode(random.below(256))).join('')
    for (const text of [whole.slice(0, at), whole.slice(0, at) + noise + whole.slice(at + 5), noise.repeat(20)]) {
      try {
        const told = JSON.stringify(parse(text))
        if (text === whole) t.equal(told, truth)
        t.notMatch(told, /NaN|null/)
      } catch (error) {
        t.match(error, { message: /^asked: / })
      }
    }
  }
}
