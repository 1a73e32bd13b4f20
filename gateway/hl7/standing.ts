// What stays the same of an observation from message to message: its name, its attributes, its series, and by what its
// states are remembered.

import type { Attributes, Series } from '../../core/model.ts'
import { type Coded, nameOf } from './coded.ts'
import type { Plain } from './layout.ts'
import { type Metric, metricOf } from './metrics.ts'

export interface Standing {
  readonly coded: Coded
  readonly metric: Metric | undefined
  readonly name: string
  /** Of its series and its events. */
  readonly attributes: Attributes
  /** Keys in the table of what was told: that it has no value, its flags, its state, its bound. */
  readonly keys: { readonly value: string; readonly flag: string; readonly state: string; readonly bound: string }
  /** One object for one series: identity makes encoding cheap. */
  series(unit: string): Series
}

/** Of whom and of what several observations are. */
export interface About {
  readonly attributes: Attributes
  /** All that tells it from another one. */
  readonly key: string
  /** By what states are remembered: a laboratory has no device, and what it tells of one patient is no news of another. */
  readonly memory: string
}

/** Known at once; then they are learned again. */
const most = 20_000
/** Of one observation. */
const mostUnits = 10

export class Standings {
  readonly #known = new Map<string, Map<string, Standing>>()
  #size = 0

  /** Gives those of one device, bed and patient. */
  of(about: About): (plain: Plain, coded: Coded) => Standing {
    let here = this.#known.get(about.key)
    if (here === undefined) {
      here = new Map()
      this.#known.set(about.key, here)
    }
    const known = here
    return (plain, coded) => known.get(plain.where) ?? this.#learn(known, about, plain, coded)
  }

  #learn(known: Map<string, Standing>, about: About, plain: Plain, coded: Coded): Standing {
    if (this.#size >= most) {
      this.#known.clear()
      this.#size = 0
    }
    const one = standingOf(about, plain, coded)
    known.set(plain.where, one)
    this.#size++
    return one
  }
}

function standingOf(about: About, { within, where }: Plain, coded: Coded): Standing {
  const name = nameOf(coded)
  const metric = coded.system === 'mdc' ? metricOf(Number(coded.code), coded.name) : undefined
  const isNumbered = coded.system === 'mdc' && coded.code !== '0'
  const attributes = { ...about.attributes, ...within, ...(isNumbered && { mdc: Number(coded.code) }) }
  const kind = metric?.isCounter ? 'counter' : 'gauge'
  const key = `${where}|${about.memory}`
  const byUnit = new Map<string, Series>()
  return {
    coded,
    metric,
    name,
    attributes,
    keys: { value: `value|${key}`, flag: `flag|${key}`, state: `state|${key}`, bound: `bound|${key}` },
    series(unit) {
      let series = byUnit.get(unit)
      if (series === undefined) {
        if (byUnit.size >= mostUnits) byUnit.clear()
        series = { name, unit, kind, attributes }
        byUnit.set(unit, series)
      }
      return series
    },
  }
}
