// What `ethtool -m` prints of a pluggable module: its measurements, the limits the maker gave it, and the flags it raised
// (SFF-8472, SFF-8636 and CMIS). Of light a module with several lanes has a measurement each.

export const quantities = ['temperature', 'voltage', 'bias', 'transmit', 'receive'] as const
/** `transmit` and `receive` are optical power. In degrees Celsius, volts, amperes and watts. */
export type Quantity = (typeof quantities)[number]

export interface Optics {
  readonly values: readonly { readonly of: Quantity; readonly channel: number | undefined; readonly value: number }[]
  readonly limits: readonly { readonly of: Quantity; readonly limit: string; readonly value: number }[]
  /** Flags that are raised; undefined where the module has none. */
  readonly raised: { readonly alarm: number; readonly warning: number } | undefined
}

const measurements: readonly (readonly [RegExp, Quantity])[] = [
  [/^module temperature$/, 'temperature'],
  [/^module voltage$/, 'voltage'],
  [/^laser (tx )?bias current$/, 'bias'],
  [/^(laser output|transmit avg optical) power$/, 'transmit'],
  [/^(receiver|rcvr) signal (oma|(avg|average) optical power)$/, 'receive'],
]
const bounds: readonly (readonly [RegExp, Quantity])[] = [
  [/^module temperature /, 'temperature'],
  [/^module voltage /, 'voltage'],
  [/^laser bias current /, 'bias'],
  [/^laser output power /, 'transmit'],
  [/^laser rx power /, 'receive'],
]
const units: Readonly<Record<Quantity, RegExp>> = {
  temperature: /^(-?\d+\.\d+) degrees C /,
  voltage: /^(\d+\.\d+) V$/,
  bias: /^(\d+\.\d+) mA$/,
  transmit: /^(\d+\.\d+) mW \//,
  receive: /^(\d+\.\d+) mW \//,
}
/** Of what is printed in milliamperes and milliwatts; as a decimal exponent, so that no digit is lost. */
const exponents: Readonly<Record<Quantity, string>> = {
  temperature: '',
  voltage: '',
  bias: 'e-3',
  transmit: 'e-3',
  receive: 'e-3',
}

/** As the conventions name the kinds of a limit. */
const kinds: Readonly<Record<string, string>> = { alarm: 'critical', warning: 'degraded' }

/** Undefined where the module measures nothing: copper, or no module. @throws Error that names the command. */
export function parseOptics(command: string, text: string): Optics | undefined {
  if (!text.endsWith('\n')) throw new Error(`${command}: expected the end of a line`)
  const values: Optics['values'][number][] = []
  const limits: Optics['limits'][number][] = []
  const raised = { alarm: 0, warning: 0 }
  let hasFlags = false
  for (const { label, channel, value } of linesOf(text)) {
    const number = (of: Quantity): number => {
      const [, digits] = units[of].exec(value) ?? fail(command, label, value)
      return Number(`${digits}${exponents[of]}`)
    }
    const measured = quantityOf(label, measurements)
    if (measured !== undefined) values.push({ of: measured, channel, value: number(measured) })
    const [, end, kind, isLimit] = / (high|low) (alarm|warning)( threshold)?$/.exec(label) ?? []
    const bounded = isLimit && quantityOf(label, bounds)
    if (bounded) limits.push({ of: bounded, limit: `${end}.${kinds[kind!]}`, value: number(bounded) })
    if (kind === undefined || isLimit) continue
    if (value !== 'On' && value !== 'Off') fail(command, label, value)
    hasFlags = true
    if (value === 'On') raised[kind as keyof typeof raised]++
  }
  // A module that measures has a supply; one that does not prints 0 for everything.
  if (!values.some(v => v.of === 'voltage' && v.value > 0)) return undefined
  return { values, limits: limits.filter(l => isGiven(l.of, limits)), raised: hasFlags ? raised : undefined }
}

function* linesOf(text: string) {
  for (const [, name, value] of text.matchAll(/^\t([^:\n]{1,80}?)[ \t]*: ([^\n]{0,200})\n/gm)) {
    const [, label, channel] = /^(.*?)\s*(?:\((?:Channel|Chan) (\d{1,2})\))?$/s.exec(name!)!
    const clean = label!.toLowerCase().replace(/\s+/g, ' ')
    yield { label: clean, channel: channel === undefined ? undefined : Number(channel), value: value! }
  }
}

function quantityOf(label: string, of: readonly (readonly [RegExp, Quantity])[]): Quantity | undefined {
  return of.find(([pattern]) => pattern.test(label))?.[1]
}

/** Limits that are all 0 were never set. */
function isGiven(of: Quantity, limits: Optics['limits']): boolean {
  return limits.some(l => l.of === of && l.value !== 0)
}

function fail(command: string, label: string, value: string): never {
  throw new Error(`${command}: unexpected value of ${label}: ${JSON.stringify(value.slice(0, 24))}`)
}
