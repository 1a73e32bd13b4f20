// Answers that are still to come from a unit on a transport that does not number them. RTU tells an answer by unit, function
// and length alone, so one that comes after its time was up could be taken for the next one of the same length. What is owed
// is remembered until the unit has answered something that nothing owed can be mistaken for: a unit answers in the order
// it was asked in, so whatever did not come before that never comes.

import { answerSize } from './answer.ts'
import { functionOf, type Read, type Request } from './pdu.ts'
import { isBits } from './value-types.ts'

interface Owed {
  readonly code: number
  readonly size: number | undefined
}

/** A unit that never answers is owed no more than this. */
const most = 4

export class Debts {
  #owed: readonly Owed[] = []

  owe(request: Request): void {
    this.#owed = [...this.#owed, owedBy(request)].slice(-most)
  }

  /** Whether an owed answer could be taken for the one to `request`. Written addresses and values come back, so those tell. */
  couldBe(request: Request): boolean {
    if (this.#owed.length === 0 || !('table' in request || ('function' in request && request.function === 23)))
      return false
    const { code, size } = owedBy(request)
    return this.#owed.some(o => o.code === code && o.size === size)
  }

  /** A read near `request` whose answer nothing owed can be taken for. */
  telling(request: Request): Read {
    const read: Read =
      'table' in request
        ? request
        : { table: 'holding-register', address: 'address' in request ? request.address : 0, count: 1 }
    const step = isBits(read.table) ? 8 : 1
    const counts = Array.from({ length: most + 1 }, (_, n) => (n + 1) * step)
    const [first, ...others] = counts.map(count => ({
      ...read,
      count,
      address: Math.min(read.address, 65_536 - count),
    }))
    return [first!, ...others].find(r => !this.couldBe(r)) ?? first!
  }

  /** Whether the PDU is late: fits something owed and not `request`. What was owed before it is then forgotten, too. */
  takes(request: Request, pdu: Buffer): boolean {
    const fits = ({ code, size }: Owed): boolean =>
      pdu.length === size ? pdu[0] === code : pdu.length === 2 && pdu[0] === (code | 0x80)
    const nth = this.#owed.findIndex(fits)
    if (nth < 0 || (pdu.length !== 2 && fits(owedBy(request)))) return false
    this.#owed = this.#owed.slice(nth + 1)
    return true
  }

  clear(): void {
    this.#owed = []
  }
}

function owedBy(request: Request): Owed {
  return { code: functionOf(request), size: answerSize(request) }
}
