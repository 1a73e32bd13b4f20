// The Prometheus text format 0.0.4, as far as our own daemons write it.

export interface Metric {
  readonly name: string
  readonly help: string
  readonly values: { readonly labels: string; readonly value: number }[]
}

/** Metrics in the order of the text; lines that are not understood are left out. */
export function parseMetrics(text: string): Metric[] {
  const metrics = new Map<string, Metric>()
  const of = (name: string, help = ''): Metric => {
    const metric = metrics.get(name) ?? { name, help, values: [] }
    metrics.set(name, metric)
    return metric
  }
  for (const line of text.split('\n')) {
    const help = /^# HELP (\S+) (.*)$/.exec(line)
    if (help) of(help[1]!, help[2])
    const sample = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line)
    if (sample) of(sample[1]!).values.push({ labels: sample[2] ?? '', value: Number(sample[3]) })
  }
  return [...metrics.values()]
}
