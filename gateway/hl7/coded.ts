// Coded values of OBX-3 and OBX-5 (CE, CWE: 2.A.10, 2.A.13). A code may leave only where it is one: of a public system
// and well formed, or a site's own that the configuration names. Anything else may be a name.

import { metricOf } from './metrics.ts'
import type { Field } from './segment.ts'

export const systems = ['mdc', 'loinc', 'snomed', 'local'] as const
export type System = (typeof systems)[number]

export interface Coded {
  readonly system: System
  /** `150456`, `8867-4`, `271649006`; 0 where MDC has only the name. */
  readonly code: string
  /** MDC's reference id, else empty: displays are free text. */
  readonly name: string
}

/** Table 0396 names the systems; senders have names of their own for them. */
const named: ReadonlyMap<string, System> = new Map([
  ['MDC', 'mdc'],
  ['11073', 'mdc'],
  ['LN', 'loinc'],
  ['LOINC', 'loinc'],
  ['SCT', 'snomed'],
  ['SNM', 'snomed'],
  ['SNOMED', 'snomed'],
  ['SNOMED-CT', 'snomed'],
])

const referenceId = /^MDCX?_[A-Z][A-Za-z0-9_]{1,78}$/

/** The first of its two triplets that is a code, MDC before others; undefined where neither is. */
export function readCoded(field: Field, local: ReadonlySet<string>, repetition = 1): Coded | undefined {
  const of = (n: number): string => field.component(n, 1, repetition).trim()
  const first = triplet(of(1), of(2), of(3), local)
  if (first?.system === 'mdc') return first
  const second = triplet(of(4), of(5), of(6), local)
  return second?.system === 'mdc' ? second : (first ?? second)
}

function triplet(code: string, name: string, system: string, local: ReadonlySet<string>): Coded | undefined {
  // Some senders write the reference id where the code belongs.
  if (referenceId.test(code)) return mdc(name, code)
  if (referenceId.test(name)) return mdc(code, name)
  const known = named.get(system.toUpperCase())
  if (known === 'mdc') return mdc(code, '')
  if (known === 'loinc') return isLoinc(code) ? { system: 'loinc', code, name: '' } : undefined
  if (known === 'snomed') return isSnomed(code) ? { system: 'snomed', code, name: '' } : undefined
  return local.has(`${system}:${code}`) ? { system: 'local', code, name: '' } : undefined
}

function mdc(code: string, name: string): Coded | undefined {
  const isCode = /^\d{1,7}$/.test(code)
  if (!isCode && name === '') return undefined
  const known = metricOf(isCode ? Number(code) : 0, name)
  const number = isCode && code !== '0' ? code : String(known?.code ?? 0)
  return { system: 'mdc', code: number, name: name === '' ? (known?.name ?? '') : name }
}

/** Digits, a hyphen and a check digit, mod 10 as Luhn's. */
export function isLoinc(code: string): boolean {
  const m = /^(\d{1,7})-(\d)$/.exec(code)
  if (m === null) return false
  let sum = 0
  for (const [n, digit] of [...m[1]!].reverse().entries()) {
    const value = Number(digit) * (n % 2 === 0 ? 2 : 1)
    sum += value > 9 ? value - 9 : value
  }
  return (10 - (sum % 10)) % 10 === Number(m[2])
}

const dihedral = '0123456789123406789523401789563401289567401239567859876043216598710432765982104387659321049876543210'
const permutation = '01234567891576283094580379614289160435279453126870428657390127938064157046913258'

/** 6 to 18 digits, the last Verhoeff's check digit, the two before it the partition of concepts. */
export function isSnomed(code: string): boolean {
  if (!/^[1-9]\d{2,14}[01]0\d$/.test(code)) return false
  let check = 0
  for (const [n, digit] of [...code].reverse().entries())
    check = Number(dihedral[check * 10 + Number(permutation[(n % 8) * 10 + Number(digit)])])
  return check === 0
}

/** How a series or an event names it: `mdc.puls_oxim_sat_o2`, `loinc.8867-4`. */
export function nameOf({ system, code, name }: Coded): string {
  if (system !== 'mdc') return `${system}.${code.toLowerCase()}`
  return name === '' ? `mdc.${code}` : `mdc.${name.replace(/^MDCX?_/, '').toLowerCase()}`
}
