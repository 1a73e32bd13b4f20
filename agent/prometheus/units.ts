// UCUM units of the words Prometheus ends its names with, https://prometheus.io/docs/practices/naming/ and the OpenTelemetry
// specification, "Prometheus and OpenMetrics Compatibility", Metric Metadata.

const words: Readonly<Record<string, string>> = {
  days: 'd',
  hours: 'h',
  minutes: 'min',
  seconds: 's',
  milliseconds: 'ms',
  microseconds: 'us',
  nanoseconds: 'ns',
  bytes: 'By',
  kibibytes: 'KiBy',
  mebibytes: 'MiBy',
  gibibytes: 'GiBy',
  bits: 'bit',
  meters: 'm',
  volts: 'V',
  amperes: 'A',
  joules: 'J',
  watts: 'W',
  grams: 'g',
  celsius: 'Cel',
  hertz: 'Hz',
  ratio: '1',
  percent: '%',
}

/** By its UNIT line, else by how its name ends; empty where neither tells. */
export function unitOf(name: string, said: string): string {
  if (said !== '') return ucum(said)
  const [, word = ''] = /_([a-z]+)$/.exec(name.replace(/_total$/, '')) ?? []
  return words[word] ?? ''
}

/** `bytes_per_second` is `By/s`; a word that is no unit of UCUM is an annotation. */
function ucum(said: string): string {
  const [counted = '', per] = said.split('_per_')
  const one = words[counted] ?? `{${counted}}`
  return per === undefined ? one : `${one}/${words[`${per}s`] ?? words[per] ?? `{${per}}`}`
}
