// Metrics of bedside devices in the nomenclature ISO/IEEE 11073-10101: what a code is called, and between which values
// it can be true at all. The bounds are no alarm limits: they are what the quantity allows by its definition, or what
// the device standard named lets such a device display. A value outside is a sentinel or stands in the wrong field.

export interface Range {
  /** UCUM unit the bounds are in. */
  readonly unit: string
  readonly min: number
  readonly max: number
}

export interface Metric {
  readonly code: number
  /** `MDC_...` */
  readonly name: string
  readonly ranges: readonly Range[]
  /** Running totals that only grow until they are reset. */
  readonly isCounter?: true
  /** Has no unit by its definition. */
  readonly isRatio?: true
}

const mmHg = (min: number, max: number): readonly Range[] => [
  { unit: 'mm[Hg]', min, max },
  { unit: 'kPa', min: min * 0.133322, max: max * 0.133322 },
]
const each = (units: readonly string[], min: number, max: number): readonly Range[] =>
  units.map(unit => ({ unit, min, max }))

/** Of a whole: nothing above all of it. */
const share = each(['%'], 0, 100)
/** IEC 60601-2-27 asks for 30 to 200 a minute, and up to 250 for neonates; monitors count to 350. */
const heart = each(['{beat}/min', '{pulse}/min', '/min'], 0, 350)
/** Impedance and capnography of neonates reach 150 a minute, ISO 80601-2-55. */
const breaths = each(['{breath}/min', '/min'], 0, 200)
/** Cuff pressures end at 300 mmHg, IEC 80601-2-30. */
const cuff = mmHg(0, 300)
/** -50 to +300 mmHg, IEC 60601-2-34, and a margin for the column of the line. */
const invasive = mmHg(-60, 360)
/** Survived core temperatures lie between 12 and 47 degrees; surface probes read the room, ISO 80601-2-56. */
const temperature: readonly Range[] = [
  { unit: 'Cel', min: 0, max: 60 },
  { unit: '[degF]', min: 32, max: 140 },
]
/** Partial pressures below that of the ambient air. */
const gas = [...mmHg(0, 160), ...share]
const airway: readonly Range[] = [
  { unit: 'cm[H2O]', min: -120, max: 150 },
  { unit: 'mbar', min: -120, max: 150 },
  { unit: 'hPa', min: -120, max: 150 },
]
const pumped = each(['mL/h'], 0, 2000)
const volume = each(['mL'], 0, 10_000)

/** Code 0: known by its reference id alone. */
type Row = readonly [number, string, (readonly Range[])?, ('counter' | 'ratio')?]

const rows: readonly Row[] = [
  [147_842, 'MDC_ECG_HEART_RATE', heart],
  [147_842, 'MDC_ECG_CARD_BEAT_RATE', heart],
  [148_066, 'MDC_ECG_V_P_C_RATE', heart],
  [147_232, 'MDC_ECG_TIME_PD_QT_GL', each(['ms'], 0, 2000)],
  [147_236, 'MDC_ECG_TIME_PD_QTc', each(['ms'], 0, 2000)],
  [149_514, 'MDC_PULS_RATE', heart],
  [149_522, 'MDC_BLD_PULS_RATE_INV', heart],
  [149_530, 'MDC_PULS_OXIM_PULS_RATE', heart],
  [149_546, 'MDC_PULS_RATE_NON_INV', heart],
  [150_016, 'MDC_PRESS_BLD', invasive],
  [150_017, 'MDC_PRESS_BLD_SYS', invasive],
  [150_018, 'MDC_PRESS_BLD_DIA', invasive],
  [150_019, 'MDC_PRESS_BLD_MEAN', invasive],
  [150_020, 'MDC_PRESS_BLD_NONINV', cuff],
  [150_021, 'MDC_PRESS_BLD_NONINV_SYS', cuff],
  [150_022, 'MDC_PRESS_BLD_NONINV_DIA', cuff],
  [150_023, 'MDC_PRESS_BLD_NONINV_MEAN', cuff],
  [150_032, 'MDC_PRESS_BLD_ART', invasive],
  [150_033, 'MDC_PRESS_BLD_ART_SYS', invasive],
  [150_034, 'MDC_PRESS_BLD_ART_DIA', invasive],
  [150_035, 'MDC_PRESS_BLD_ART_MEAN', invasive],
  [150_036, 'MDC_PRESS_BLD_ART_ABP', invasive],
  [150_037, 'MDC_PRESS_BLD_ART_ABP_SYS', invasive],
  [150_038, 'MDC_PRESS_BLD_ART_ABP_DIA', invasive],
  [150_039, 'MDC_PRESS_BLD_ART_ABP_MEAN', invasive],
  [150_044, 'MDC_PRESS_BLD_ART_PULM', invasive],
  [150_045, 'MDC_PRESS_BLD_ART_PULM_SYS', invasive],
  [150_046, 'MDC_PRESS_BLD_ART_PULM_DIA', invasive],
  [150_047, 'MDC_PRESS_BLD_ART_PULM_MEAN', invasive],
  [150_084, 'MDC_PRESS_BLD_VEN_CENT', invasive],
  [150_087, 'MDC_PRESS_BLD_VEN_CENT_MEAN', invasive],
  [150_344, 'MDC_TEMP', temperature],
  [150_364, 'MDC_TEMP_BODY', temperature],
  [150_392, 'MDC_TEMP_TYMP', temperature],
  [150_448, 'MDC_PULS_OXIM_PERF_REL', each(['1', '%'], 0, 100), 'ratio'],
  [150_452, 'MDC_PULS_OXIM_PLETH', [], 'ratio'],
  [150_456, 'MDC_PULS_OXIM_SAT_O2', share],
  [151_562, 'MDC_RESP_RATE', breaths],
  [151_578, 'MDC_TTHOR_RESP_RATE', breaths],
  [151_586, 'MDC_VENT_RESP_RATE', breaths],
  [151_594, 'MDC_CO2_RESP_RATE', breaths],
  [151_708, 'MDC_CONC_AWAY_CO2_ET', gas],
  [151_712, 'MDC_CONC_AWAY_CO2_EXP', gas],
  [151_716, 'MDC_CONC_AWAY_CO2_INSP', gas],
  [151_957, 'MDC_VENT_PRESS_MAX', airway],
  [157_784, 'MDC_FLOW_FLUID_PUMP', pumped],
  [157_872, 'MDC_VOL_FLUID_TBI_REMAIN', volume],
  [0, 'MDC_VOL_FLUID_DELIV', volume, 'counter'],
  [0, 'MDC_VOL_FLUID_DELIV_TOTAL', volume, 'counter'],
]

const byName = new Map<string, Metric>()
const byCode = new Map<number, Metric>()

for (const [code, name, ranges = [], trait] of rows) {
  const metric: Metric = {
    code,
    name,
    ranges,
    ...(trait === 'counter' && { isCounter: true }),
    ...(trait === 'ratio' && { isRatio: true }),
  }
  byName.set(name, metric)
  if (code !== 0 && !byCode.has(code)) byCode.set(code, metric)
}

/** By reference id, else by code; undefined where the table has neither. */
export function metricOf(code: number, name: string): Metric | undefined {
  return byName.get(name) ?? (name === '' ? byCode.get(code) : undefined)
}

/** Why a value cannot be true, or undefined. */
export function implausible(metric: Metric | undefined, value: number, unit: string): string | undefined {
  const range = metric?.ranges.find(r => r.unit === unit)
  if (range === undefined || (value >= range.min && value <= range.max)) return undefined
  return `outside ${range.min} to ${range.max} ${unit}`
}
