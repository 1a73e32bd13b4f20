// What ptp4l and phc2sys say in their log, about once a second or summed up over some:
//   master offset       -583 s2 freq    -160 path delay      2085
//   rms   12 max   25 freq   -100 +/-   5 delay   300 +/-   2
//   CLOCK_REALTIME phc offset        -12 s2 freq    +100 delay    500
// in nanoseconds and parts per billion. s2 is locked; s0 and s1 are of a servo that has not settled.

export interface PtpLine {
  /** The clock that is disciplined: absent for the one ptp4l itself disciplines. */
  readonly clock?: string
  /** s */
  readonly offset?: number
  readonly rms?: number
  readonly max?: number
  readonly delay?: number
  /** Of the frequency, as a ratio. */
  readonly adjustment?: number
}

const billion = 1e9
const delay = '(?:\\s+(?:path )?delay\\s+(-?\\d{1,15}))?'
const single = new RegExp(
  `(?:(?:^|\\s)(\\S+) (?:phc|sys) |master )offset\\s+(-?\\d{1,19}) s[0-3] freq\\s+([+-]?\\d{1,12})${delay}`,
)
const summed = new RegExp(
  `(?:^|\\s)(?:([A-Za-z_/][\\w/:-]*) )?rms\\s+(\\d{1,19}) max\\s+(\\d{1,19}) freq\\s+([+-]?\\d{1,12}) \\+/-\\s+\\d+${delay}`,
)

/** Undefined for a line that tells of no offset. */
export function parsePtpLine(text: string): PtpLine | undefined {
  const [one, clock, offset, frequency, path] = single.exec(text) ?? []
  if (one !== undefined) return line(clock, { offset: Number(offset) }, frequency!, path)
  const [many, of, rms, max, mean, latency] = summed.exec(text) ?? []
  if (many === undefined) return undefined
  return line(of, { rms: Number(rms), max: Number(max) }, mean!, latency)
}

function line(
  clock: string | undefined,
  ns: Readonly<Record<string, number>>,
  frequency: string,
  delay: string | undefined,
): PtpLine {
  const values: Record<string, number> = {
    ...ns,
    adjustment: Number(frequency),
    ...(delay !== undefined && { delay: Number(delay) }),
  }
  const scaled = Object.entries(values).map(([name, value]) => [name, value / billion])
  return { ...(clock !== undefined && { clock }), ...Object.fromEntries(scaled) }
}
