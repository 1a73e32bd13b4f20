// What of the mapper's memory outlives the process, and when it is written.
//
// The file never names a bed where a device no longer stands: readings would find the wrong patient. A gateway that
// speaks for many beds under one name seems to move with every message: what moves has no bed in the file until it has
// stood still, and is still known to have moved.

import type { Keep } from '../../agent/keep.ts'
import { isStill, still } from './beds.ts'
import { Ledger } from './ledger.ts'
import type { Alert, Standing, Stay } from './memory.ts'

export interface Ledgers {
  readonly beds: Ledger<readonly Stay[]>
  readonly whereabouts: Ledger<string>
  readonly devices: Ledger<Standing>
  readonly alerts: Ledger<Alert>
}

export interface Saver {
  /** `durable`: stays or alerts became different. `moved`: devices whose place did. Resolves when the file says so. */
  commit(durable: boolean, moved: readonly string[], time: number): Promise<void>
}

const maxText = 16 * 1024 ** 2
const done = Promise.resolve()

export function saverOf(keep: Keep, ledgers: Ledgers): Saver {
  /** Devices as the file has them. */
  let standing = placesIn(ledgers, 0)
  /** The file lacks what was committed. */
  let owing = false
  let saving: Promise<void> | undefined
  let looked = 0

  const save = (time: number): void => {
    saving = undefined
    const places = placesIn(ledgers, time)
    const { beds, whereabouts, alerts } = ledgers
    const all = { beds: [...beds.entries], whereabouts: [...whereabouts.entries], devices: [...places] }
    keep.save(JSON.stringify({ ...all, alerts: [...alerts.entries] }))
    standing = places
    owing = false
  }

  const isNews = (device: string, time: number): boolean => {
    const place = ledgers.devices.get(device)
    const kept = place !== undefined && isStill(place, time) ? place.bed : undefined
    return standing.get(device)?.bed !== kept
  }

  /** Whether one that moved stands still by now. Not worth a second save of the same moment, nor a message's acknowledgement. */
  const look = (time: number): void => {
    if (Math.abs(time - looked) < still) return
    looked = time
    for (const device of ledgers.devices.entries.keys()) owing ||= isNews(device, time)
  }

  return {
    commit(durable, moved, time) {
      owing ||= durable || moved.some(device => isNews(device, time))
      look(time)
      if (!owing) return done
      saving ??= done.then(() => save(time))
      return saving
    },
  }
}

function placesIn({ devices }: Ledgers, time: number): ReadonlyMap<string, Standing> {
  const { entries } = devices
  return new Map(
    [...entries].map(([device, place]) => [device, isStill(place, time) ? place : { ...place, bed: undefined }]),
  )
}

/** What is damaged is as good as absent: the next messages tell it anew. */
export function loadLedgers(text: string | undefined): Ledgers {
  if (text === undefined || text.length > maxText) return ledgersOf({})
  try {
    return ledgersOf(JSON.parse(text))
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error
    return ledgersOf({})
  }
}

interface Saved {
  readonly beds?: readonly (readonly [string, readonly Stay[]])[]
  readonly whereabouts?: readonly (readonly [string, string])[]
  readonly devices?: readonly (readonly [string, Standing])[]
  readonly alerts?: readonly (readonly [string, Alert])[]
}

function ledgersOf({ beds, whereabouts, devices, alerts }: Saved): Ledgers {
  return {
    beds: new Ledger(beds),
    whereabouts: new Ledger(whereabouts),
    devices: new Ledger(devices),
    alerts: new Ledger(alerts),
  }
}
