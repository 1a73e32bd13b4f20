// Random findings, endings, mutes, feedback, writes and kills; after each, every incident counts exactly what belongs to it.

import t, { type Test } from 'tap'
import { Incidents } from '../../collector/incidents.ts'
import { openHistory } from '../../collector/store/history.ts'
import { findingKey, type RecordChange, Records } from '../../collector/store/records.ts'
import { Refused } from '../../core/errors.ts'
import type { Finding } from '../../core/model.ts'
import { Place } from '../../core/shape.ts'
import { mutes } from '../../judge/incidents/mutes.ts'
import { type Random, random, seeded } from '../random.ts'
import { noon } from './ingest/envelopes.ts'

const window = {
  name: 'w',
  node: 'h-1*',
  from: new Date(noon + 600_000).toISOString(),
  to: new Date(noon + 900_000).toISOString(),
}

function openStores(folder: string) {
  const history = openHistory({ folder, say: () => {}, now: () => noon })
  const records = new Records({ db: history.db, file: history, changed: change => changed(change) })
  for (let n = 0; n < 40; n++) records.describe(records.touch(`h-${n}`, noon), { site: 's', rack: `r${n % 8}` })
  const incidents = new Incidents({ records, mutes: mutes.read([window], new Place()) })
  const changed = (change: RecordChange): void => {
    if (change.kind === 'finding') incidents.take(change.finding)
  }
  return { history, records, incidents }
}

class Run {
  readonly #folder: string
  readonly #chance: Random
  /** All that was told, by key, as it was told last. */
  readonly told = new Map<string, Finding>()
  /** What was told since the last write, in order. */
  #unsaved: Finding[] = []
  #now = noon
  stores: ReturnType<typeof openStores>

  constructor(folder: string, chance: Random) {
    this.#folder = folder
    this.#chance = chance
    this.stores = openStores(this.#folder)
  }

  step(): void {
    const roll = this.#chance.below(100)
    this.#now += this.#chance.below(4000)
    if (roll < 55) this.#begin()
    else if (roll < 85) this.#end()
    else if (roll < 90) this.stores.incidents.tick(this.#now)
    else if (roll < 93) this.#judge()
    else if (roll < 97) this.#save()
    else this.#kill()
  }

  #begin(): void {
    const n = this.#chance.below(40)
    const series = { name: `m${this.#chance.below(2)}`, unit: '1', kind: 'gauge', attributes: {} } as const
    const subject = this.#chance.below(4) === 0 ? { node: `h-${n}` } : { node: `h-${n}`, series }
    const severity = this.#chance.pick(['info', 'warning', 'error'] as const)
    const since = this.#now - this.#chance.below(60_000)
    this.#tell({ rule: `rule${this.#chance.below(5)}`, kind: 'k', subject, severity, since, message: '', evidence: {} })
  }

  #end(): void {
    const open = [...this.told.values()].filter(f => f.until === undefined)
    if (open.length > 0) this.#tell({ ...this.#chance.pick(open), until: this.#now })
  }

  #tell(finding: Finding): void {
    this.told.set(findingKey(finding), finding)
    this.#unsaved.push(finding)
    this.stores.records.finding(finding)
  }

  #judge(): void {
    const { incidents, records } = this.stores
    const all = records.incidents.find({ limit: 50 })
    const given = records.incidents.feedback()
    if (given.length > 0 && this.#chance.below(2) === 0) incidents.takeBack(this.#chance.pick(given).id, this.#now)
    else if (all.length > 0) {
      try {
        incidents.notAProblem({ incident: this.#chance.pick(all).id }, '', this.#now)
      } catch (error) {
        if (!(error instanceof Refused)) throw error
      }
    }
    // What is said is on disk at once, and with it what was found until then.
    this.#unsaved = []
  }

  #save(): void {
    this.stores.records.writeFindings()
    this.#unsaved = []
  }

  /** What was not written is found again. */
  #kill(): void {
    this.stores.history.close()
    this.stores = openStores(this.#folder)
    for (const finding of this.#unsaved) this.stores.records.finding(finding)
  }

  check(t: Test): void {
    const { records } = this.stores
    const marks = [...this.told].map(([key, finding]) => ({ ...records.incidents.marked(key), key, finding }))
    const listed = records.incidents.find({ limit: 10_000 })
    const wrong = listed.flatMap(incident => {
      const own = marks.filter(mark => mark.incident === incident.id)
      const counted = {
        findings: own.length,
        open: own.filter(m => m.finding.until === undefined && m.lowered === null).length,
        lowered: own.filter(m => m.lowered !== null).length,
        kept: own.length,
      }
      const { findings, open, lowered, id } = incident
      const said = { findings, open, lowered, kept: records.incidents.findingsOf(id, 2000).length }
      return JSON.stringify(said) === JSON.stringify(counted) ? [] : [{ id, said, counted }]
    })
    t.strictSame(wrong, [], 'each incident counts what belongs to it')
    const ids = new Set(listed.map(({ id }) => id))
    const stray = marks.filter(m => m.incident != null && !ids.has(m.incident))
    t.strictSame(stray, [], 'none belongs to an incident that is not there')
    const loose = marks.filter(
      m => m.incident === null && m.muted === null && m.lowered === null && m.finding.until === undefined,
    )
    t.strictSame(loose, [], 'what is open, not muted and no "no problem" has an incident')
  }
}

t.test('whatever happens in whatever order, incidents count what belongs to them', t => {
  const chance = seeded(t)
  for (let round = 0; round < 4; round++) {
    const run = new Run(`${t.testdir({ [`r${round}`]: {} })}/r${round}`, random(chance.seed + round))
    for (let step = 0; step < 600; step++) {
      run.step()
      if (step % 50 === 49) run.check(t)
    }
    run.stores.history.close()
  }
  t.end()
})
