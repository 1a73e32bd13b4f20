// What `ethtool -S` prints, the statistics of a driver by its own names, and `ethtool --include-statistics -a`, the
// pause frames that the driver counts as IEEE 802.3 annex 31B has them. Priority flow control (IEEE 802.1Qbb) has no
// common place: what drivers call it is known here.

export type Direction = 'receive' | 'transmit'

/** Name and number of each statistic. Numbers of 2^63 and more are a driver's fault, and left out. */
export function parseStatistics(command: string, text: string): readonly (readonly [string, number])[] {
  if (!/^NIC statistics:[ \t]*\n/.test(text) || !text.endsWith('\n'))
    throw new Error(`${command}: expected NIC statistics`)
  const lines = text.slice(text.indexOf('\n') + 1, -1).split('\n')
  return lines.flatMap(line => {
    if (line === '') return []
    const [, name, number] = /^[ \t]{1,40}(\S.{0,200}?)[ \t]{0,40}: (\d{1,20})$/.exec(line) ?? []
    if (name === undefined)
      throw new Error(`${command}: expected a statistic, got ${JSON.stringify(line.slice(0, 40))}`)
    const value = Number(number)
    return value < 2 ** 63 ? [[name, value] as const] : []
  })
}

export interface Pause {
  /** Whether pause frames are obeyed (receive) and sent (transmit). */
  readonly enabled: Readonly<Partial<Record<Direction, boolean>>>
  /** Where the driver counts them. */
  readonly frames: Readonly<Partial<Record<Direction, number>>>
}

export function parsePause(command: string, text: string): Pause {
  if (!text.startsWith('Pause parameters for ') || !text.endsWith('\n')) {
    throw new Error(`${command}: expected Pause parameters`)
  }
  /** What both ends agreed upon goes before what this one was told to offer. */
  const enabled = (line: string): boolean | undefined => setting(`${line} negotiated`) ?? setting(line)
  const setting = (line: string): boolean | undefined => {
    const word = new RegExp(`^${line}:[ \\t]+(on|off)$`, 'm').exec(text)?.[1]
    return word === 'on' ? true : word === 'off' ? false : undefined
  }
  const frames = (line: string): number | undefined => {
    const digits = new RegExp(`^[ \\t]+${line}_pause_frames: (\\d{1,20})\n`, 'm').exec(text)?.[1]
    return digits === undefined || Number(digits) >= 2 ** 63 ? undefined : Number(digits)
  }
  return {
    enabled: known({ receive: enabled('RX'), transmit: enabled('TX') }),
    frames: known({ receive: frames('rx'), transmit: frames('tx') }),
  }
}

function known<T>(values: Readonly<Record<Direction, T | undefined>>): Readonly<Partial<Record<Direction, T>>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<
    Record<Direction, T>
  >
}

export interface PriorityPause {
  /** Pause frames, or the time they held the traffic back, s. */
  readonly kind: 'frames' | 'time'
  readonly direction: Direction
  readonly priority: number
  readonly value: number
}

/** mlx5; mlx4; bnxt_en; ice and i40e; ixgbe. */
const framePatterns = [
  /^(?<way>rx|tx)_prio(?<priority>[0-7])_pause$/,
  /^(?<way>rx|tx)_pause_prio_(?<priority>[0-7])$/,
  /^(?<way>rx|tx)_pfc_ena_frames_pri(?<priority>[0-7])$/,
  /^(?:port\.)?(?<way>rx|tx)_priority_(?<priority>[0-7])_xoff(?:\.nic)?$/,
  /^(?<way>rx|tx)_pb_(?<priority>[0-7])_pxoff$/,
]
/** In microseconds: mlx5; mlx4; bnxt_en. */
const timePatterns = [
  /^(?<way>rx|tx)_prio(?<priority>[0-7])_pause_duration$/,
  /^(?<way>rx|tx)_pause_duration_prio_(?<priority>[0-7])$/,
  /^pfc_pri(?<priority>[0-7])_(?<way>rx|tx)_duration_us$/,
]

/** Undefined where a statistic is about something else. */
export function priorityPauseOf(name: string, value: number): PriorityPause | undefined {
  const match = (patterns: readonly RegExp[]) => patterns.map(p => p.exec(name)?.groups).find(Boolean)
  const frames = match(framePatterns)
  const found = frames ?? match(timePatterns)
  if (found === undefined) return undefined
  const direction = found.way === 'rx' ? 'receive' : 'transmit'
  const which = { direction, priority: Number(found.priority) } as const
  return frames === undefined ? { kind: 'time', ...which, value: value / 1e6 } : { kind: 'frames', ...which, value }
}

/** mlx5 warns, and then drops, when the other end holds it back for too long. */
export function stormOf(name: string): 'warning' | 'error' | undefined {
  return /^tx_pause_storm_(warning|error)_events$/.exec(name)?.[1] as 'warning' | 'error' | undefined
}
