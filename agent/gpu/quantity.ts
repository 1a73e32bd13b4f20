// Numbers with their unit as programs print them, `85.50 W`, in base units. Strict: what is no number with a unit of the
// kind asked for (`N/A`, `[Not Supported]`, `ERR!`, `Unknown Error`) is no value.

const units = {
  count: { '': 1 },
  ratio: { '%': 0.01 },
  bytes: { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4, MB: 1024 ** 2 },
  rate: { 'B/s': 1, 'KB/s': 1000, 'MB/s': 1e6, 'GB/s': 1e9 },
  power: { W: 1, mW: 0.001 },
  energy: { J: 1, uJ: 1e-6 },
  frequency: { Hz: 1, MHz: 1e6, GHz: 1e9, Mhz: 1e6 },
  celsius: { C: 1 },
  time: { ns: 1e-9, us: 1e-6, ms: 0.001, s: 1 },
  voltage: { mV: 0.001, V: 1 },
  banks: { 'bank(s)': 1 },
} as const satisfies Readonly<Record<string, Readonly<Record<string, number>>>>

export type Quantity = keyof typeof units

/** In base units; undefined where the text is no such quantity. */
export function parseQuantity(text: string, quantity: Quantity): number | undefined {
  const m = /^(-?\d{1,20}(?:\.\d{1,12})?) ?(\S*)$/.exec(text)
  if (m === null) return undefined
  const factor = (units[quantity] as Readonly<Record<string, number>>)[m[2]!]
  return factor === undefined ? undefined : scaled(Number(m[1]), factor)
}

/** Divides where the factor is a part of one, so that 37 % is 0.37 and not 0.37000000000000005. */
function scaled(value: number, factor: number): number {
  return factor < 1 ? value / Math.round(1 / factor) : value * factor
}

const flags: Readonly<Record<string, number>> = {
  Yes: 1,
  No: 0,
  Active: 1,
  'Not Active': 0,
  Enabled: 1,
  Disabled: 0,
  True: 1,
  False: 0,
}

/** 1 or 0 for a word that says so. */
export function parseFlag(text: string): number | undefined {
  return Object.hasOwn(flags, text) ? flags[text] : undefined
}
