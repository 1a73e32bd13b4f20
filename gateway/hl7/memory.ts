// What the mapper remembers between messages: who lies where, which device stands where, which alerts are on, what was
// last said of a series or a clock. A message works on a draft; nothing of it is remembered until what was made of the
// message is durable, so that a message that comes again is mapped as if for the first time. A draft sees what those
// before it hold that are still on their way to the disk. No identifier is in it, only pseudonyms and places.
//
// What no later message would tell anew is durable before its message is acknowledged: stays, alerts, and where a device
// stands that was not known or stood elsewhere. All that is committed at one moment is one save.

import type { Keep } from '../../agent/keep.ts'
import type { Series } from '../../core/model.ts'
import { Ledger, type Table } from './ledger.ts'
import { type Ledgers, loadLedgers, type Saver, saverOf } from './saver.ts'

/** A patient in a bed; `to` once the stay has ended. Times in ms since the epoch. */
export interface Stay {
  readonly patient: string
  readonly visit?: string
  readonly from: number
  readonly to?: number
}

export interface Alert {
  readonly id: string
  readonly since: number
  readonly state: string
}

/** Where a device was last seen. */
export interface Standing {
  /** Undefined: at none, or now here, now there. */
  readonly bed: string | undefined
  /** From when on it is there, by its own messages. */
  readonly from: number
  /** When the message came that told of it there, where it stood elsewhere before. */
  readonly since?: number
}

export interface Tables {
  /** Of a bed: its stays, newest first. */
  readonly beds: Table<readonly Stay[]>
  /** Of a patient's pseudonym: the bed. */
  readonly whereabouts: Table<string>
  readonly devices: Table<Standing>
  /** Alerts that have begun and not ended, by their id and by what else they are recognised by. */
  readonly alerts: Table<Alert>
  /** Of a series: why it has no value now. Of a device: that its clock is wrong. Not kept over restarts. */
  readonly told: Table<string>
}

export interface Draft extends Tables {
  /** One object for one series: identity makes encoding cheap. `key` tells all that makes it another one. */
  series(key: string, make: () => Series): Series
  /**
   * What this message changed is remembered from now on, and is durable when this resolves where it has to be. Rejects
   * with the disk's error; the next commit then tries again.
   */
  commit(): Promise<void>
  /** Forgets what this message changed. After a commit it does nothing. */
  drop(): void
}

export interface Memory {
  /** `time`: when the message came, ms since the epoch. A draft is written to before the next one is opened. */
  draft(time: number): Draft
}

/** Series known at once. */
const mostSeries = 10_000

export function openMemory(keep: Keep): Memory {
  const kept = loadLedgers(keep.load())
  const told = new Ledger<string>()
  const saver = saverOf(keep, kept)
  const series = seriesMemo()
  return { draft: time => openDraft(kept, told, saver, series, time) }
}

function openDraft(kept: Ledgers, ledger: Ledger<string>, saver: Saver, series: Draft['series'], time: number): Draft {
  const [beds, whereabouts] = [kept.beds.page(), kept.whereabouts.page()]
  const [devices, alerts, told] = [kept.devices.page(), kept.alerts.page(), ledger.page()]
  const durable = [beds, whereabouts, alerts]
  return {
    beds,
    whereabouts,
    devices,
    alerts,
    told,
    series,
    commit() {
      told.apply()
      const changes = durable.reduce((sum, page) => sum + page.apply().length, 0)
      return saver.commit(changes > 0, devices.apply(), time)
    },
    drop() {
      for (const page of [...durable, devices, told]) page.drop()
    },
  }
}

function seriesMemo(): Draft['series'] {
  const known = new Map<string, Series>()
  return (key, make) => {
    let one = known.get(key)
    if (one === undefined) {
      if (known.size >= mostSeries) known.clear()
      one = make()
      known.set(key, one)
    }
    return one
  }
}
