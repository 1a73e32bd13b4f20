// Which orders were given, durably, so that none is done twice.
//
// - `begin` is on the disk before an order is begun, `end` when it is over: what a crash found between them is `unknown`.
// - An id is kept until a day after its order expired; before its own beginning the memory knows nothing, and an order that
//   was issued then is not begun. So a lost or damaged memory makes nothing happen twice.
// - At most `most` are kept; more are refused, none is forgotten for them.

import { Refused } from '../../core/errors.ts'
import type { Json, Order, Outcome } from '../../core/model.ts'
import { isMap } from '../../core/shape.ts'
import type { Keep } from '../keep.ts'

const most = 5000
/** How long an order is remembered after it expired, ms: so far may the clock be set back. */
const margin = 86_400_000
/** Characters of what was read back that are remembered. */
const longResult = 1000

export interface Remembered {
  readonly expires: number
  readonly begun: number
  /** Which line of the allow-list let it pass; undefined where none did. */
  readonly allowed?: string
  outcome?: Outcome
  /** Until its outcome is on its way home. */
  order?: Order
}

interface Book {
  readonly since: number
  readonly orders: Record<string, Remembered>
}

export class OrderMemory {
  readonly #keep: Keep
  readonly #since: number
  readonly #orders: Map<string, Remembered>

  /** Orders that were begun and not ended are now `unknown`. */
  constructor(keep: Keep, now: number) {
    this.#keep = keep
    const book = read(keep.load())
    this.#since = book?.since ?? now
    this.#orders = new Map(Object.entries(book?.orders ?? {}))
    for (const [id, remembered] of this.#orders) remembered.outcome ??= lost(id)
    if (book === undefined) this.#save()
  }

  /** Whether it knows of all orders issued since then. */
  covers(issued: number): boolean {
    return issued >= this.#since
  }

  get(id: string): Remembered | undefined {
    return this.#orders.get(id)
  }

  /** When those were begun that the line of the allow-list let pass. */
  times(allowed: string): readonly number[] {
    return [...this.#orders.values()]
      .filter(r => r.allowed === allowed && r.outcome?.state !== 'refused')
      .map(r => r.begun)
  }

  /** Outcomes that may not be on their way home yet. */
  untold(): readonly { readonly order: Order; readonly outcome: Outcome }[] {
    return [...this.#orders.values()].flatMap(({ order, outcome }) => (order && outcome ? [{ order, outcome }] : []))
  }

  /** Durable when it returns. @throws Refused where it is full, else the disk's error: then the order must not be begun. */
  begin(order: Order, now: number, allowed: string | undefined): void {
    for (const [id, { expires, order: untold }] of this.#orders)
      if (expires + margin < now && untold === undefined) this.#orders.delete(id)
    if (this.#orders.size >= most) throw new Refused(`${most} orders are remembered already, more are not taken`)
    const { id, expires } = order
    this.#orders.set(id, { expires, begun: now, order, ...(allowed !== undefined && { allowed }) })
    try {
      this.#save()
    } catch (error) {
      this.#orders.delete(id)
      throw error
    }
  }

  end(outcome: Outcome): void {
    this.#orders.get(outcome.id)!.outcome = outcome
    this.#save()
  }

  /** Its outcome is in the spool. */
  told(id: string): void {
    const remembered = this.#orders.get(id)!
    delete remembered.order
    remembered.outcome = short(remembered.outcome!)
    this.#save()
  }

  #save(): void {
    this.#keep.save(JSON.stringify({ since: this.#since, orders: Object.fromEntries(this.#orders) } satisfies Book))
  }
}

function lost(id: string): Outcome {
  return { id, state: 'unknown', reason: 'the edge stopped while it was done, and does not do it again' }
}

function short({ result, ...outcome }: Outcome): Outcome {
  return result === undefined || isLong(result) ? outcome : { ...outcome, result }
}

function isLong(result: Json): boolean {
  return JSON.stringify(result).length > longResult
}

function read(text: string | undefined): Book | undefined {
  if (text === undefined) return undefined
  try {
    const raw: unknown = JSON.parse(text)
    return isMap(raw) && typeof raw.since === 'number' && isMap(raw.orders) ? (raw as unknown as Book) : undefined
  } catch {
    // Damaged is as good as absent: it then begins now.
    return undefined
  }
}
