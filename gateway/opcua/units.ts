// The units of OPC UA servers as UCUM. EUInformation (OPC 10000-8, 5.6.3) names a unit by the code of UN/CEFACT
// Recommendation 20, its characters packed into a number; these are those that plants use.

const byCode: Readonly<Record<string, string>> = {
  P1: '%',
  C62: '1',
  CEL: 'Cel',
  FAH: '[degF]',
  KEL: 'K',
  BAR: 'bar',
  MBR: 'mbar',
  PAL: 'Pa',
  KPA: 'kPa',
  MPA: 'MPa',
  MTR: 'm',
  CMT: 'cm',
  MMT: 'mm',
  '4H': 'um',
  MTK: 'm2',
  MTQ: 'm3',
  LTR: 'L',
  MLT: 'mL',
  MTS: 'm/s',
  MSK: 'm/s2',
  C16: 'mm/s',
  RPM: '{rotation}/min',
  HTZ: 'Hz',
  KHZ: 'kHz',
  SEC: 's',
  C26: 'ms',
  MIN: 'min',
  HUR: 'h',
  DAY: 'd',
  KGM: 'kg',
  GRM: 'g',
  TNE: 't',
  KGS: 'kg/s',
  E93: 'kg/h',
  MQH: 'm3/h',
  MQS: 'm3/s',
  L2: 'L/min',
  G51: 'L/s',
  NEW: 'N',
  B47: 'kN',
  NU: 'N.m',
  AMP: 'A',
  '4K': 'mA',
  VLT: 'V',
  KVT: 'kV',
  '2Z': 'mV',
  OHM: 'Ohm',
  WTT: 'W',
  KWT: 'kW',
  MAW: 'MW',
  D46: 'V.A',
  KVA: 'kV.A',
  D44: 'var',
  KVR: 'kvar',
  JOU: 'J',
  KJO: 'kJ',
  WHR: 'W.h',
  KWH: 'kW.h',
  MWH: 'MW.h',
  DD: 'deg',
  C81: 'rad',
  CDL: 'cd',
  LUX: 'lx',
  '59': '[ppm]',
  Q30: '[pH]',
}

export interface EngineeringUnits {
  readonly unitId: number
  /** `°C` */
  readonly displayName: string
}

/** `1` where there is none; a unit that the table lacks stays as the server shows it, as an annotation of UCUM. */
export function ucumOf(units: EngineeringUnits | undefined): string {
  if (units === undefined) return '1'
  const known = byCode[codeOf(units.unitId)]
  if (known !== undefined) return known
  const shown = units.displayName.replaceAll(/[^\x21-\x7e]|[{}]/g, '')
  return shown === '' ? '1' : `{${shown}}`
}

function codeOf(unitId: number): string {
  const characters = [24, 16, 8, 0].map(shift => (unitId >>> shift) & 0xff).filter(c => c > 0)
  return String.fromCharCode(...characters)
}
