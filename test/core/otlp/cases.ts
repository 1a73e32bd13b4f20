// Random data for the codec tests.

import type { Attributes, Event, Json, Sample, Series } from '../../../core/model.ts'
import { seriesKinds, severities } from '../../../core/model.ts'
import type { Random } from '../../random.ts'

const words = ['', 'a', 'cpu', 'disk.io', 'Ätna', '温度', '😀', 'host.name', '__proto__', 'x'.repeat(200)]

export function randomText(random: Random): string {
  return `${random.pick(words)}${random.below(3) === 0 ? random.below(1000) : ''}`
}

export function randomNumber(random: Random): number {
  const whole = Math.floor((random() - 0.5) * 2 ** random.below(54))
  return random.pick([0, 1, -1, random(), whole, random() * 1e300, -5e-324, 2 ** 53 - 1, 1 - 2 ** 53, 1e15, 128, 127])
}

export function randomAttributes(random: Random): Attributes {
  const scalar = (): string | number | boolean =>
    random.pick([randomText(random), randomNumber(random), random.below(2) === 1])
  return Object.fromEntries(Array.from({ length: random.below(5) }, () => [randomText(random), scalar()]))
}

/** 1970 to 2100, whole ms. */
export function randomTime(random: Random): number {
  return random.pick([1, 65_535, 65_536, 4_294_967_295, 1_790_000_000_000 + random.below(1e9), random.below(4.1e12)])
}

export function randomSeries(random: Random, count: number): Series[] {
  return Array.from({ length: count }, (_, n) => ({
    name: random.pick(['system.cpu.time', 'temperature', `metric.${random.below(5)}`]),
    unit: random.pick(['s', 'By', '1', 'Cel', '']),
    kind: random.pick(seriesKinds),
    attributes: { n, ...randomAttributes(random) },
  }))
}

export function randomSamples(random: Random): Sample[] {
  const series = randomSeries(random, 1 + random.below(20))
  return Array.from({ length: random.below(60) }, () => ({
    series: random.pick(series),
    time: randomTime(random),
    value: randomNumber(random),
  }))
}

export function randomJson(random: Random, depth = 0): Json {
  const kind = random.below(depth > 3 ? 4 : 6)
  if (kind === 0) return null
  if (kind === 1) return randomText(random)
  if (kind === 2) return randomNumber(random)
  if (kind === 3) return random.below(2) === 1
  const items = Array.from({ length: random.below(4) }, () => randomJson(random, depth + 1))
  return kind === 4 ? items : Object.fromEntries(items.map((item, n) => [`${randomText(random)}${n}`, item]))
}

export function randomEvent(random: Random): Event {
  return {
    name: `fieldline.${random.below(9)}`,
    time: randomTime(random),
    severity: random.pick(severities),
    body: randomJson(random),
    attributes: randomAttributes(random),
  }
}
