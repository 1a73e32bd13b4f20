// What systemctl(1) and journalctl(1) print, strictly: what cannot be read is an error that names the command.

/** A unit in the words of systemd: `active`, `failed`; `running`, `dead`. */
export interface Unit {
  readonly name: string
  readonly active: string
  readonly sub: string
}

/** Of a service, in more words. */
export interface Service extends Unit {
  /** Why it ended last: `success`, `exit-code`, `watchdog`. */
  readonly result: string
  /** How often systemd started it again by itself. */
  readonly restarts: number
  /** Whether any failure makes systemd start it again. */
  readonly restartsAlways: boolean
  /** Whether systemd may ever start it again by itself. */
  readonly restartsSometimes: boolean
  /** Exit status or signal of its last main process. */
  readonly status: number
  /** Microseconds of CLOCK_MONOTONIC at its last change of state. */
  readonly since: number
}

export const activeStates = [
  'active',
  'reloading',
  'inactive',
  'failed',
  'activating',
  'deactivating',
  'maintenance',
  'refreshing',
] as const

const mostUnits = 20_000

/** `systemctl list-units --all --full --plain --no-legend`: name, load, active, sub, then what is not read. */
export function parseUnits(command: string, text: string): readonly Unit[] {
  const lines = text.split('\n')
  if (lines.length > mostUnits) throw new Error(`${command}: more than ${mostUnits} units`)
  if (lines.pop() !== '') throw new Error(`${command}: its last line has no end`)
  return lines.map(line => {
    // Some versions put a mark before what failed or is not found.
    const [, name, active, sub] =
      /^(?:[^\w\s-] |[*x] |\s+)?(\S+\.[a-z]+)\s+\S+\s+([a-z]+)\s+([a-z-]+)\s/.exec(`${line} `) ?? []
    if (name === undefined || !isState(active)) {
      throw new Error(`${command}: expected a unit and its states, got ${JSON.stringify(line.slice(0, 80))}`)
    }
    return { name, active: active!, sub: sub! }
  })
}

function isState(word: string | undefined): boolean {
  return activeStates.some(state => state === word)
}

/** `systemctl show`: lines of `Key=value`, an empty line between units. */
export function parseShow(command: string, text: string): readonly ReadonlyMap<string, string>[] {
  if (!text.endsWith('\n')) throw new Error(`${command}: its last line has no end`)
  const blocks = text.slice(0, -1).split('\n\n')
  return blocks.map(block => {
    const pairs = block.split('\n').map((line): [string, string] => {
      const at = line.indexOf('=')
      if (at < 1) throw new Error(`${command}: expected Key=value, got ${JSON.stringify(line.slice(0, 80))}`)
      return [line.slice(0, at), line.slice(at + 1)]
    })
    return new Map(pairs)
  })
}

export const serviceProperties =
  'Id,ActiveState,SubState,Result,NRestarts,Restart,RestartPreventExitStatus,ExecMainStatus,StateChangeTimestampMonotonic'

export function parseServices(command: string, text: string): readonly Service[] {
  return parseShow(command, text).map(block => serviceOf(command, block))
}

function serviceOf(command: string, block: ReadonlyMap<string, string>): Service {
  const word = (key: string): string => {
    const value = block.get(key)
    if (!value) throw new Error(`${command}: no ${key} of ${block.get('Id') ?? 'a unit'}`)
    return value
  }
  const count = (key: string): number => {
    const value = word(key)
    if (!/^\d{1,19}$/.test(value)) throw new Error(`${command}: ${key}=${value.slice(0, 40)} is no number`)
    return Number(value)
  }
  const active = word('ActiveState')
  if (!isState(active)) throw new Error(`${command}: ActiveState=${active.slice(0, 40)} is no state`)
  const restart = word('Restart')
  const isPrevented = (block.get('RestartPreventExitStatus') ?? '') !== ''
  return {
    name: word('Id'),
    active,
    sub: word('SubState'),
    result: word('Result'),
    restarts: count('NRestarts'),
    restartsAlways: ['always', 'on-failure'].includes(restart) && !isPrevented,
    restartsSometimes: restart !== 'no',
    status: count('ExecMainStatus'),
    since: count('StateChangeTimestampMonotonic'),
  }
}

export interface Manager {
  /** `running`, `degraded`, `starting`, `stopping`, `maintenance`. */
  readonly state: string
  readonly jobs: number
}

export function parseManager(command: string, text: string): Manager {
  const [block] = parseShow(command, text)
  const state = block?.get('SystemState') ?? ''
  const jobs = block?.get('NJobs') ?? ''
  if (!/^[a-z-]+$/.test(state) || !/^\d{1,9}$/.test(jobs)) throw new Error(`${command}: no SystemState or NJobs`)
  return { state, jobs: Number(jobs) }
}

/** `journalctl -o json`: the field UNIT_RESULT of each entry; what is not JSON has none. */
export function parseResults(text: string): readonly string[] {
  return [...text.matchAll(/"UNIT_RESULT":"([a-z-]{1,40})"/g)].map(m => m[1]!)
}
