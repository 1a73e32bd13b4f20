// What edges find themselves: their events `fieldline.finding` become findings beside the collector's own.
//
// - The edge decides when one begins and ends; its last word stands. What is told late (an older stream that drains behind a
//   newer one) opens nothing again that has ended, and does not replace what was told after it.
// - An edge tells what is open again every hour. What is told no longer while the node goes on is over: its edge has lost its
//   memory, or what told of the end. A node that is silent ends nothing; when retention forgets it, its findings end with it.
// - A broken edge cannot flood: of each node so many are open at most, and so many are new in an hour.

import { Refused, reason } from '../../core/errors.ts'
import { eventToFinding, isOfEdge } from '../../core/finding-event.ts'
import type { Event, Finding } from '../../core/model.ts'
import { findingKey, type Records } from '../store/records.ts'
import { maxAhead } from './gate.ts'
import type { Troubles } from './troubles.ts'

export interface EdgeFindingsOptions {
  readonly records: Pick<Records, 'finding' | 'known' | 'node' | 'openFindings'>
  readonly troubles: Pick<Troubles, 'saw'>
}

/** Open findings of one node; new ones at once, as after an outage, and in an hour. */
export const mostOpen = 500
export const mostAtOnce = 5000
const newAnHour = 1000
const hour = 3_600_000
/** Minutes in which the node was heard and the finding was not. */
export const mostMissed = 180
const minute = 60_000

interface Open {
  readonly finding: Finding
  /** Time of the event that told it last. */
  told: number
  missed: number
}

interface Sender {
  readonly open: Map<string, Open>
  /** New findings that it may still tell, as of `at`. */
  left: number
  at: number
  /** When something came from the node, as seen the last time. */
  heard: number
}

export class EdgeFindings {
  readonly #options: EdgeFindingsOptions
  readonly #senders = new Map<string, Sender>()
  #ticked = Number.NEGATIVE_INFINITY

  constructor(options: EdgeFindingsOptions) {
    this.#options = options
    for (const finding of options.records.openFindings()) {
      if (!isOfEdge(finding)) continue
      const { node } = finding.subject
      this.#sender(node, 0).open.set(findingKey(finding), { finding, told: finding.since, missed: 0 })
    }
  }

  /** An event `fieldline.finding` of a node; `received` is when its row came. */
  take(node: string, event: Event, received: number): void {
    try {
      const finding = eventToFinding(event, node)
      if (Math.max(finding.since, finding.until ?? 0) > received + maxAhead)
        throw new Refused('a finding of the future')
      this.#take(finding, event.time, received)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      this.#leftOut(node, received, reason(error))
    }
  }

  /** Ends what is told no longer, and forgets nodes that are forgotten; to be called about once a second. */
  tick(now: number): void {
    if (Math.abs(now - this.#ticked) < minute) return
    this.#ticked = now
    for (const [node, sender] of this.#senders) {
      const lastSeen = this.#options.records.node(node)?.lastSeen
      if (lastSeen === undefined) this.#senders.delete(node)
      else if (lastSeen !== sender.heard) this.#miss(sender)
      sender.heard = lastSeen ?? 0
    }
  }

  #take(finding: Finding, time: number, received: number): void {
    const { records } = this.#options
    const key = findingKey(finding)
    const known = records.known(key)
    const sender = this.#sender(finding.subject.node, received)
    const open = sender.open.get(key)
    if (finding.until === undefined && (known?.until !== undefined || (open !== undefined && open.told > time))) return
    if (known === undefined) spend(sender, finding, received)
    if (finding.until === undefined) sender.open.set(key, { finding, told: time, missed: 0 })
    else sender.open.delete(key)
    records.finding(finding)
  }

  #miss({ open }: Sender): void {
    for (const [key, one] of open) {
      one.missed++
      const isOver = this.#options.records.known(key)?.until !== undefined
      if (!isOver && one.missed < mostMissed) continue
      open.delete(key)
      if (!isOver) this.#options.records.finding({ ...one.finding, until: Math.max(one.finding.since, one.told) })
    }
  }

  #sender(node: string, received: number): Sender {
    const known = this.#senders.get(node)
    if (known !== undefined) return known
    const sender: Sender = { open: new Map(), left: mostAtOnce, at: received, heard: 0 }
    this.#senders.set(node, sender)
    return sender
  }

  #leftOut(node: string, time: number, why: string): void {
    const message = `${node} tells of findings that are not taken: ${why}`
    this.#options.troubles.saw({ rule: 'findings-left-out', node, time, severity: 'warning', message, evidence: {} })
  }
}

/** @throws Refused where the node has told of too many. */
function spend(sender: Sender, { until }: Finding, received: number): void {
  if (until === undefined && sender.open.size >= mostOpen) throw new Refused(`more than ${mostOpen} are open`)
  const passed = Math.max(0, received - sender.at)
  sender.left = Math.min(mostAtOnce, sender.left + (passed / hour) * newAnHour)
  sender.at = received
  if (sender.left < 1) throw new Refused(`more than ${newAnHour} in an hour`)
  sender.left--
}
