// Units of OBX-6: MDC codes and reference ids (ISO/IEEE 11073-10101, A.3 Units of measurement) and UCUM, told as UCUM.
// An MDC unit is a dimension, a multiple of 32 in partition 4, and a decimal prefix in the lowest five bits: one row of
// the table serves `MDC_DIM_X_L` (263744) and `MDC_DIM_MILLI_L` (263762) alike.

import type { Field } from './segment.ts'

/** Partition 4 of the nomenclature. */
const partition = 4 * 65_536

/** Decimal factor in the lowest bits: ref id part and UCUM prefix (11073-10101, table of decimal factors). */
const prefixes: ReadonlyMap<number, readonly [string, string]> = new Map([
  [0, ['X_', '']],
  [1, ['DECA_', 'da']],
  [2, ['HECTO_', 'h']],
  [3, ['KILO_', 'k']],
  [4, ['MEGA_', 'M']],
  [5, ['GIGA_', 'G']],
  [16, ['DECI_', 'd']],
  [17, ['CENTI_', 'c']],
  [18, ['MILLI_', 'm']],
  [19, ['MICRO_', 'u']],
  [20, ['NANO_', 'n']],
  [21, ['PICO_', 'p']],
  [22, ['FEMTO_', 'f']],
])

/**
 * Dimension code, reference id with `#` where a prefix stands, UCUM with `#` likewise. Without `#` the unit takes none.
 */
const dimensions: readonly (readonly [number, string, string])[] = [
  [512, 'DIMLESS', '1'],
  [544, 'PERCENT', '%'],
  [576, 'PARTS_PER_THOUSAND', '[ppth]'],
  [608, 'PARTS_PER_MILLION', '[ppm]'],
  [672, 'PARTS_PER_BILLION', '[ppb]'],
  [736, 'ANG_DEG', 'deg'],
  [768, 'ANG_RAD', 'rad'],
  [992, 'PH', '[pH]'],
  [1024, 'DROP', '[drp]'],
  [1088, 'BEAT', '{beat}'],
  [1120, 'BREATH', '{breath}'],
  [1280, '#M', '#m'],
  [1344, 'FOOT', '[ft_i]'],
  [1376, 'INCH', '[in_i]'],
  [1408, '#L_PER_M_SQ', '#L/m2'],
  [1440, 'PER_#M', '/#m'],
  [1472, 'SQ_#M', '#m2'],
  [1568, 'CUBIC_#M', '#m3'],
  [1600, '#L', '#L'],
  [1632, '#L_PER_BREATH', '#L/{breath}'],
  [1696, 'PER_#L', '/#L'],
  [1728, '#G', '#g'],
  [1760, 'LB', '[lb_av]'],
  [1792, 'OZ', '[oz_av]'],
  [1952, '#G_PER_M_SQ', '#g/m2'],
  [2048, '#G_PER_L', '#g/L'],
  [2112, '#G_PER_DL', '#g/dL'],
  [2144, '#G_PER_ML', '#g/mL'],
  [2176, '#SEC', '#s'],
  [2208, 'MIN', 'min'],
  [2240, 'HR', 'h'],
  [2272, 'DAY', 'd'],
  [2304, 'WEEKS', 'wk'],
  [2336, 'MON', 'mo'],
  [2368, 'YR', 'a'],
  [2464, 'PER_#SEC', '/#s'],
  [2496, '#HZ', '#Hz'],
  [2528, 'PER_MIN', '/min'],
  [2560, 'PER_HR', '/h'],
  [2592, 'PER_DAY', '/d'],
  [2720, 'BEAT_PER_MIN', '{beat}/min'],
  [2752, 'PULS_PER_MIN', '{pulse}/min'],
  [2784, 'RESP_PER_MIN', '{breath}/min'],
  [2816, '#M_PER_SEC', '#m/s'],
  [2848, '#L_PER_MIN_PER_M_SQ', '#L/min/m2'],
  [3040, '#L_PER_SEC', '#L/s'],
  [3072, '#L_PER_MIN', '#L/min'],
  [3104, '#L_PER_HR', '#L/h'],
  [3136, '#L_PER_DAY', '#L/d'],
  [3168, '#L_PER_KG', '#L/kg'],
  [3328, '#G_PER_MIN', '#g/min'],
  [3360, '#G_PER_HR', '#g/h'],
  [3392, '#G_PER_DAY', '#g/d'],
  [3456, '#G_PER_KG_PER_MIN', '#g/kg/min'],
  [3488, '#G_PER_KG_PER_HR', '#g/kg/h'],
  [3776, '#NEWTON', '#N'],
  [3840, '#PASCAL', '#Pa'],
  [3872, 'MMHG', 'mm[Hg]'],
  [3904, 'CM_H2O', 'cm[H2O]'],
  [3936, '#BAR', '#bar'],
  [3968, '#JOULES', '#J'],
  [4032, '#WATT', '#W'],
  [4128, '#DYNE_PER_SEC_PER_CM5', '#dyn.s/cm5'],
  [4160, '#AMPS', '#A'],
  [4256, '#VOLT', '#V'],
  [4288, '#OHM', '#Ohm'],
  [4352, '#FARAD', '#F'],
  [4384, 'KELVIN', 'K'],
  [4416, 'FAHR', '[degF]'],
  [4512, '#OSM', '#osm'],
  [4544, '#MOLE', '#mol'],
  [4576, '#EQUIV', '#eq'],
  [4608, '#OSM_PER_L', '#osm/L'],
  [4704, '#MOLE_PER_L', '#mol/L'],
  [4832, '#EQUIV_PER_L', '#eq/L'],
  [5472, '#INTL_UNIT', '#[iU]'],
  [5600, '#INTL_UNIT_PER_ML', '#[iU]/mL'],
  [5664, '#INTL_UNIT_PER_MIN', '#[iU]/min'],
  [5696, '#INTL_UNIT_PER_HR', '#[iU]/h'],
  [5792, '#INTL_UNIT_PER_KG_PER_MIN', '#[iU]/kg/min'],
  [5824, '#INTL_UNIT_PER_KG_PER_HR', '#[iU]/kg/h'],
  [5888, '#L_PER_CM_H2O', '#L/cm[H2O]'],
  [5920, 'CM_H2O_PER_L_PER_SEC', 'cm[H2O]/L/s'],
  [6048, 'DEGC', 'Cel'],
  [6144, 'CM_H2O_PER_L', 'cm[H2O]/L'],
  [6272, '#L_PER_MM_HG', '#L/mm[Hg]'],
  [6400, '#L_PER_DL', '#L/dL'],
  [6432, 'DECIBEL', 'dB'],
]

/** Reference ids that the nomenclature spells differently from its own scheme, or that senders write. */
const spelled: Readonly<Record<string, string>> = {
  CENTI_M_H2O: 'cm[H2O]',
  MM_HG: 'mm[Hg]',
  KG_PER_M_SQ: 'kg/m2',
  SEC: 's',
  PER_SEC: '/s',
  PER_MICRO_L: '/uL',
  BPM: '{beat}/min',
}

/** What people write where a UCUM code belongs. */
const written: ReadonlyMap<string, string> = new Map([
  ['mmHg', 'mm[Hg]'],
  ['cmH2O', 'cm[H2O]'],
  ['bpm', '{beat}/min'],
  ['beats/min', '{beat}/min'],
  ['breaths/min', '{breath}/min'],
  ['rpm', '{breath}/min'],
  ['1/min', '/min'],
  ['{beats}/min', '{beat}/min'],
  ['{breaths}/min', '{breath}/min'],
  ['°C', 'Cel'],
  ['degC', 'Cel'],
  ['°F', '[degF]'],
  ['degF', '[degF]'],
  ['sec', 's'],
  ['msec', 'ms'],
  ['cc', 'mL'],
  ['K/uL', '10*3/uL'],
  ['M/uL', '10*6/uL'],
  ['x10E3/uL', '10*3/uL'],
  ['x10E6/uL', '10*6/uL'],
  ['IU', '[iU]'],
  ['mcg/kg/min', 'ug/kg/min'],
  ['µg/kg/min', 'ug/kg/min'],
])

/** UCUM of each MDC code and of each reference id without `MDC_DIM_`. */
const byCode = new Map<number, string>()
const byName = new Map<string, string>(Object.entries(spelled))

for (const [base, name, ucum] of dimensions) {
  if (!name.includes('#')) {
    byCode.set(partition + base, ucum)
    byName.set(name, ucum)
    continue
  }
  for (const [factor, [long, short]] of prefixes) {
    const unit = ucum.replace('#', short)
    byCode.set(partition + base + factor, unit)
    byName.set(name.replace('#', long), unit)
    if (factor === 0 && !byName.has(name.replace('#', ''))) byName.set(name.replace('#', ''), unit)
  }
}

/** Of an MDC unit: the 32-bit code, the code within its partition, or the reference id. */
export function mdcUnit(code: string, name: string): string | undefined {
  const n = /^\d{1,6}$/.test(code) ? Number(code) : Number.NaN
  const named = /^MDC_DIM_/.test(name) ? byName.get(name.slice(8)) : undefined
  return named ?? byCode.get(n) ?? byCode.get(partition + n)
}

/** Atoms of UCUM that stand in results of laboratories and devices, and those that take a prefix (ucum.org, tables 1-29). */
const metric =
  'm|s|g|rad|K|cd|Hz|N|Pa|J|W|A|V|F|Ohm|S|C|L|l|bar|mol|osm|eq|kat|U|cal|Cel|m\\[Hg\\]|m\\[H2O\\]|t|B|dyn|katal|sr|lm|lx|Bq|Gy|Sv|\\[iU\\]|\\[IU\\]'
const plain =
  "min|h|d|wk|mo|a|deg|%|\\[pH\\]|\\[ppth\\]|\\[ppm\\]|\\[ppb\\]|\\[drp\\]|\\[degF\\]|\\[in_i\\]|\\[ft_i\\]|\\[lb_av\\]|\\[oz_av\\]|\\[arb'U\\]|\\[HPF\\]|\\[LPF\\]|\\[CFU\\]|10\\*|10\\^|dB"
/** Annotations may hold any text, a name too: only known ones pass (UCUM 2.4). */
const annotation =
  '\\{(?:beats?|pulses?|breaths?|cells?|RBC|WBC|count|copies|CFU|score|ratio|INR|index|drop|event|episode|creat|1\\.73_m2|min|hour)\\}'
const factor = `(?:(?:Y|Z|E|P|T|G|M|k|h|da|d|c|m|u|n|p|f)?(?:${metric})|${plain})(?:[+-]?\\d{1,2})?(?:${annotation})?|1|${annotation}`
const grammar = new RegExp(`^\\/?(?:${factor})(?:[./](?:${factor}))*$`)

/** A UCUM code, or what is commonly written for one; undefined for anything else. */
export function ucumUnit(text: string): string | undefined {
  const trimmed = text.trim()
  const known = written.get(trimmed)
  if (known !== undefined) return known
  return trimmed.length <= 40 && grammar.test(trimmed) ? trimmed : undefined
}

/** OBX-6, a CE or CWE: its first triplet and its alternate one. */
export interface UnitField {
  readonly code: string
  readonly name: string
  readonly system: string
  readonly alternateCode: string
  readonly alternateName: string
  readonly alternateSystem: string
}

export function unitFieldOf(field: Field): UnitField {
  const of = (n: number): string => field.component(n).trim()
  return {
    code: of(1),
    name: of(2),
    system: of(3),
    alternateCode: of(4),
    alternateName: of(5),
    alternateSystem: of(6),
  }
}

/** In UCUM; undefined where it is none that we know. */
export function unitOf(field: UnitField): string | undefined {
  return (
    triplet(field.code, field.name, field.system) ??
    triplet(field.alternateCode, field.alternateName, field.alternateSystem)
  )
}

function triplet(code: string, name: string, system: string): string | undefined {
  if (code === '' && name === '') return undefined
  const isMdc = /^MDC/.test(system) || name.startsWith('MDC_DIM_') || code.startsWith('MDC_DIM_')
  if (isMdc) return mdcUnit(code, name.startsWith('MDC_') ? name : code)
  return ucumUnit(code) ?? ucumUnit(name)
}
