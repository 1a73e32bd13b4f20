// What a simulated bedside monitor sends: IHE PCD-01 and PCD-04 as TF-2 shows them, and the admission that a hospital
// would send. Nobody of these ever lived; MSH-11 says T, training.

export interface Bedside {
  /** EUI-64, 16 hex digits. */
  readonly device: string
  /** PV1-3, `WARD3^304^1`. */
  readonly bed: string
  readonly patient: { readonly id: string; readonly name: string }
}

export interface Vitals {
  /** {beat}/min */
  readonly heart: number
  /** % */
  readonly saturation: number
  /** {breath}/min */
  readonly breaths: number
  /** mm[Hg], arterial line */
  readonly systolic: number
  readonly diastolic: number
  /** Cel */
  readonly temperature: number
}

export interface Alarm {
  readonly kind: 'saturation' | 'pressure'
  readonly phase: 'start' | 'continue' | 'end'
  /** Of this message, and of the one that told of its start: they name the alarm. */
  readonly number: string
  readonly started: string
  readonly value: number
}

const millimetres = '266016^MDC_DIM_MMHG^MDC^mm[Hg]^mm[Hg]^UCUM'
const beats = '264864^MDC_DIM_BEAT_PER_MIN^MDC'

const alarms = {
  saturation: {
    event: '196670^MDC_EVT_LO^MDC',
    flags: 'L~PH~SP',
    about: '150456^MDC_PULS_OXIM_SAT_O2^MDC',
    unit: '262688^MDC_DIM_PERCENT^MDC',
    limits: '90-100',
    place: '1.2.1.1',
  },
  pressure: {
    event: '196648^MDC_EVT_HI^MDC',
    flags: 'H~PM~SP',
    about: '150033^MDC_PRESS_BLD_ART_SYS^MDC',
    unit: millimetres,
    limits: '90-160',
    place: '1.3.1.1',
  },
} as const

/** Out of these a monitor raises its alarm. */
export const limits = { saturation: 90, systolic: 160 } as const

export function admission(who: Bedside, control: string, time: number): string {
  return segments([
    ['MSH', '^~\\&', 'ADT_SIMULATED', 'HOSPITAL', '', '', stamp(time), '', 'ADT^A01^ADT_A01', control, 'T', '2.6'],
    ['EVN', '', stamp(time), '', '', '', stamp(time)],
    ...patient(who),
  ])
}

export function vitals(who: Bedside, control: string, time: number, now: Vitals): string {
  const { heart, saturation, breaths, systolic, diastolic, temperature } = now
  return segments([
    header(who, 'ORU^R01^ORU_R01', control, time, 'IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO'),
    ...patient(who),
    order('182777000^monitoring of patient^SCT', control, time),
    ...observations([
      container('69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC', '1.0.0.0', who),
      container('69798^MDC_DEV_ECG_VMD^MDC', '1.1.0.0'),
      container('69799^MDC_DEV_ECG_CHAN^MDC', '1.1.1.0'),
      value('147842^MDC_ECG_HEART_RATE^MDC', '1.1.1.1', heart, beats),
      value('151562^MDC_RESP_RATE^MDC', '1.1.1.2', breaths, '264928^MDC_DIM_RESP_PER_MIN^MDC'),
      container('69642^MDC_DEV_ANALY_SAT_O2_VMD^MDC', '1.2.0.0'),
      container('69643^MDC_DEV_ANALY_SAT_O2_CHAN^MDC', '1.2.1.0'),
      value('150456^MDC_PULS_OXIM_SAT_O2^MDC', '1.2.1.1', saturation, '262688^MDC_DIM_PERCENT^MDC'),
      container('69854^MDC_DEV_METER_PRESS_BLD_VMD^MDC', '1.3.0.0'),
      container('69855^MDC_DEV_METER_PRESS_BLD_CHAN^MDC', '1.3.1.0'),
      value('150033^MDC_PRESS_BLD_ART_SYS^MDC', '1.3.1.1', systolic, millimetres),
      value('150034^MDC_PRESS_BLD_ART_DIA^MDC', '1.3.1.2', diastolic, millimetres),
      container('69902^MDC_DEV_METER_TEMP_VMD^MDC', '1.4.0.0'),
      container('69903^MDC_DEV_METER_TEMP_CHAN^MDC', '1.4.1.0'),
      value('150344^MDC_TEMP^MDC', '1.4.1.1', temperature, '268192^MDC_DIM_DEGC^MDC'),
    ]),
  ])
}

export function alarm(who: Bedside, control: string, time: number, told: Alarm): string {
  const { event, flags, about, unit, limits: range, place } = alarms[told.kind]
  const state = told.phase === 'end' ? 'inactive' : 'active'
  const parent = told.number === told.started ? '' : `^${told.started}&SIMULATED`
  return segments([
    header(who, 'ORU^R40^ORU_R40', control, time, 'IHE_PCD_ACM_001^IHE PCD^1.3.6.1.4.1.19376.1.6.4.4^ISO'),
    ...patient(who),
    [...order('196616^MDC_EVT_ALARM^MDC', told.number, time), ...Array<string>(21).fill(''), parent],
    ...observations([
      container('69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC', '1.0.0.0', who),
      ['ST', event, `${place}.1`, 'alarm of a simulated monitor', '', '', flags, '', '', 'R', '', '', stamp(time)],
      ['NM', about, `${place}.2`, String(told.value), unit, range, '', '', '', 'R'],
      ['ST', '68481^MDC_ATTR_EVENT_PHASE^MDC', `${place}.3`, told.phase, '', '', '', '', '', 'R'],
      ['ST', '68482^MDC_ATTR_ALARM_STATE^MDC', `${place}.4`, state, '', '', '', '', '', 'R'],
      ['ST', '68483^MDC_ATTR_ALARM_INACTIVATION_STATE^MDC', `${place}.5`, 'enabled', '', '', '', '', '', 'R'],
    ]),
  ])
}

type Fields = readonly string[]

function header({ device }: Bedside, type: string, control: string, time: number, profile: string): Fields {
  const sender = `SIMULATED^${device}^EUI-64`
  const rest = ['AL', 'NE', '', 'UNICODE UTF-8', '', '', profile]
  return ['MSH', '^~\\&', sender, 'HOSPITAL', '', '', stamp(time), '', type, control, 'T', '2.6', '', '', ...rest]
}

function patient({ patient: { id, name }, bed }: Bedside): readonly Fields[] {
  return [
    ['PID', '', '', `${id}^^^HOSPITAL^MR`, '', `${name}^Simulated^^^^^L`],
    ['PV1', '', 'I', bed],
  ]
}

function order(what: string, number: string, time: number): Fields {
  return ['OBR', '1', `${number}^SIMULATED`, `${number}^SIMULATED`, what, '', '', stamp(time)]
}

/** From OBX-2 on. */
function container(what: string, place: string, who?: Bedside): Fields {
  const instance = who === undefined ? '' : `^^${who.device}^EUI-64`
  return ['', what, place, '', '', '', '', '', '', 'X', '', '', '', '', '', '', instance]
}

function value(what: string, place: string, number: number, unit: string): Fields {
  return ['NM', what, place, String(number), unit, '', '', '', '', 'R']
}

function observations(all: readonly Fields[]): readonly Fields[] {
  return all.map((fields, n) => ['OBX', String(n + 1), ...fields])
}

function segments(all: readonly Fields[]): string {
  return all.map(fields => `${fields.join('|').replace(/\|+$/, '')}\r`).join('')
}

/** DTM in UTC, to the millisecond. */
function stamp(time: number): string {
  return `${new Date(time).toISOString().replace(/[-:TZ]/g, '')}+0000`
}
