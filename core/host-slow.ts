// Calls into the kernel that may never return (statfs on a dead NFS server). Each holds one of libuv's threads until the
// kernel lets go, and cannot be taken back; so a subject is asked once at a time, and only so many may hang.

interface Outstanding {
  readonly answer: Promise<unknown>
  overdue: boolean
}

/**
 * Rejects after `limit` ms, and at once while the same subject, or `most` others, are overdue. No more than `most` are
 * asked at a time, so that those which hang never take all threads; the others wait for their turn.
 */
export type TimeLimited = <T>(subject: string, call: () => Promise<T>) => Promise<T>

export function timeLimited(limit: number, most: number): TimeLimited {
  const outstanding = new Map<string, Outstanding>()
  /** Resolves when a call has ended or is overdue. */
  let change = Promise.withResolvers<void>()
  const changed = (): void => {
    change.resolve()
    change = Promise.withResolvers()
  }

  /** Whether there is one to spare. */
  const hasRoom = (subject: string): boolean => {
    const hanging = [...outstanding.values()].filter(o => o.overdue).length
    if (hanging >= most) throw new Error(`${subject}: not asked, as ${hanging} earlier calls still hang`)
    return outstanding.size < most
  }

  const start = (subject: string, call: () => Promise<unknown>): Outstanding => {
    const forget = (): void => {
      outstanding.delete(subject)
      changed()
    }
    const asked = { answer: call(), overdue: false }
    outstanding.set(subject, asked)
    asked.answer.then(forget, forget)
    return asked
  }

  return async <T>(subject: string, call: () => Promise<T>): Promise<T> => {
    while (!outstanding.has(subject) && !hasRoom(subject)) await change.promise
    const asked = outstanding.get(subject) ?? start(subject, call)
    if (asked.overdue) throw noAnswer(subject, limit)
    // One subject is always asked by the same kind of call, so the answer is a T.
    const { answer } = asked as Outstanding & { answer: Promise<T> }
    return within(answer, limit, () => {
      asked.overdue = true
      changed()
      return noAnswer(subject, limit)
    })
  }
}

async function within<T>(answer: Promise<T>, limit: number, overdue: () => Error): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(overdue()), limit)
  try {
    return await Promise.race([answer, promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Says the same as long as it lasts, so that it can be said once. */
function noAnswer(subject: string, limit: number): Error {
  return new Error(`${subject}: no answer within ${limit / 1000} s`)
}
