// Calls into the kernel that may never return (statfs on a dead NFS server). Each holds one of libuv's threads until the
// kernel lets go, and cannot be taken back; so a subject is asked once at a time, and only so many may hang.

interface Outstanding {
  readonly answer: Promise<unknown>
  overdue: boolean
}

/** Rejects after `limit` ms, and at once while the same subject, or `most` others, are overdue. */
export type TimeLimited = <T>(subject: string, call: () => Promise<T>) => Promise<T>

export function timeLimited(limit: number, most: number): TimeLimited {
  const outstanding = new Map<string, Outstanding>()

  const start = (subject: string, call: () => Promise<unknown>): Outstanding => {
    const hanging = [...outstanding.values()].filter(o => o.overdue).length
    if (hanging >= most) throw new Error(`${subject}: not asked, as ${hanging} earlier calls still hang`)
    const forget = (): void => void outstanding.delete(subject)
    const asked = { answer: call(), overdue: false }
    outstanding.set(subject, asked)
    asked.answer.then(forget, forget)
    return asked
  }

  return async <T>(subject: string, call: () => Promise<T>): Promise<T> => {
    const asked = outstanding.get(subject) ?? start(subject, call)
    if (asked.overdue) throw noAnswer(subject, limit)
    // One subject is always asked by the same kind of call, so the answer is a T.
    return within(asked as Outstanding & { answer: Promise<T> }, limit, subject)
  }
}

async function within<T>(asked: Outstanding & { answer: Promise<T> }, limit: number, subject: string): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    asked.overdue = true
    reject(noAnswer(subject, limit))
  }, limit)
  try {
    return await Promise.race([asked.answer, promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Says the same as long as it lasts, so that it can be said once. */
function noAnswer(subject: string, limit: number): Error {
  return new Error(`${subject}: no answer within ${limit / 1000} s`)
}
