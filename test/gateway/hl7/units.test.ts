import t from 'tap'
import { isLoinc, isSnomed } from '../../../gateway/hl7/coded.ts'
import { implausible, metricOf } from '../../../gateway/hl7/metrics.ts'
import { mdcUnit, ucumUnit, unitOf } from '../../../gateway/hl7/units.ts'

const empty = { code: '', name: '', system: '', alternateCode: '', alternateName: '', alternateSystem: '' }

t.test('units of bedside monitors, ventilators and pumps are read by MDC code and by reference id', async t => {
  const known: readonly (readonly [number, string, string])[] = [
    [262656, 'MDC_DIM_DIMLESS', '1'],
    [262688, 'MDC_DIM_PERCENT', '%'],
    [263441, 'MDC_DIM_CENTI_M', 'cm'],
    [263744, 'MDC_DIM_X_L', 'L'],
    [263762, 'MDC_DIM_MILLI_L', 'mL'],
    [263875, 'MDC_DIM_KILO_G', 'kg'],
    [264274, 'MDC_DIM_MILLI_G_PER_DL', 'mg/dL'],
    [264320, 'MDC_DIM_SEC', 's'],
    [264338, 'MDC_DIM_MILLI_SEC', 'ms'],
    [264608, 'MDC_DIM_PER_SEC', '/s'],
    [264640, 'MDC_DIM_HZ', 'Hz'],
    [264864, 'MDC_DIM_BEAT_PER_MIN', '{beat}/min'],
    [264928, 'MDC_DIM_RESP_PER_MIN', '{breath}/min'],
    [265216, 'MDC_DIM_L_PER_MIN', 'L/min'],
    [265266, 'MDC_DIM_MILLI_L_PER_HR', 'mL/h'],
    [265619, 'MDC_DIM_MICRO_G_PER_KG_PER_MIN', 'ug/kg/min'],
    [265987, 'MDC_DIM_KILO_PASCAL', 'kPa'],
    [266016, 'MDC_DIM_MMHG', 'mm[Hg]'],
    [266048, 'MDC_DIM_CM_H2O', 'cm[H2O]'],
    [266418, 'MDC_DIM_MILLI_VOLT', 'mV'],
    [266560, 'MDC_DIM_FAHR', '[degF]'],
    [266866, 'MDC_DIM_MILLI_MOLE_PER_L', 'mmol/L'],
    [268192, 'MDC_DIM_DEGC', 'Cel'],
  ]
  for (const [code, name, ucum] of known) {
    t.equal(mdcUnit(String(code), ''), ucum, `${code}`)
    t.equal(mdcUnit('', name), ucum, name)
    t.equal(unitOf({ ...empty, code: String(code), name, system: 'MDC' }), ucum)
    t.equal(mdcUnit(String(code - 262144), ''), ucum, `${code} within its partition`)
    t.equal(ucumUnit(ucum), ucum, `${ucum} is UCUM`)
  }
  t.equal(mdcUnit('264320', 'MDC_DIM_MILLI_SEC'), 'ms', 'a name is less often wrong than a number')
})

t.test('UCUM passes, what is commonly written for it is corrected, and anything else is none', async t => {
  for (const good of ['mg/dL', '10*3/uL', '10*9/L', 'mL/min/{1.73_m2}', 'pg/{cell}', '[iU]/L', 'cm[H2O]/L/s', '/[HPF]'])
    t.equal(ucumUnit(good), good)
  t.equal(ucumUnit('mmHg'), 'mm[Hg]')
  t.equal(ucumUnit('bpm'), '{beat}/min')
  t.equal(ucumUnit('K/uL'), '10*3/uL')
  for (const bad of ['', 'Weaver', '{Jolanda Weaver}', '{4711}', 'mg per dl', '120', 'constructor', '__proto__'])
    t.equal(ucumUnit(bad), undefined, bad)
  t.equal(unitOf({ ...empty, code: 'x', alternateCode: 'mm[Hg]', alternateSystem: 'UCUM' }), 'mm[Hg]')
})

t.test('codes of public systems are told by their check digits', async t => {
  for (const code of ['8867-4', '2345-7', '59408-5', '2951-2']) t.ok(isLoinc(code), code)
  for (const code of ['8867-5', '2345', '12345-6789', 'x-1']) t.notOk(isLoinc(code), code)
  for (const code of ['182777000', '278149003', '27268008']) t.ok(isSnomed(code), code)
  for (const code of ['182777001', '8473002199', '00']) t.notOk(isSnomed(code), code)
})

t.test('a value that its quantity does not allow is none', async t => {
  const saturation = metricOf(150456, 'MDC_PULS_OXIM_SAT_O2')
  t.equal(implausible(saturation, 100, '%'), undefined)
  t.match(implausible(saturation, 101, '%'), /outside 0 to 100/)
  t.match(implausible(metricOf(0, 'MDC_TEMP'), 368, 'Cel'), /outside/)
  t.equal(implausible(metricOf(0, 'MDC_TEMP'), 98.6, '[degF]'), undefined)
  t.equal(implausible(undefined, 1e9, '%'), undefined)
})
