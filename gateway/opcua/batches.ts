// Many operations in requests that a server takes: as many as it says, and fewer where it then refuses a request as a whole.

import { reason } from '../../core/errors.ts'

const tooMany = /BadTooManyOperations|BadRequestTooLarge|BadResponseTooLarge|BadEncodingLimitsExceeded/

/** What `call` gives for each, in order. */
export async function inBatches<T, R>(
  all: readonly T[],
  most: number,
  call: (some: readonly T[]) => Promise<readonly R[]>,
): Promise<R[]> {
  const results: R[] = []
  for (let n = 0; n < all.length; n += most) results.push(...(await divided(all.slice(n, n + most), call)))
  return results
}

async function divided<T, R>(
  some: readonly T[],
  call: (some: readonly T[]) => Promise<readonly R[]>,
): Promise<readonly R[]> {
  try {
    return await call(some)
  } catch (error) {
    if (some.length < 2 || !tooMany.test(reason(error))) throw error
    return await inBatches(some, Math.ceil(some.length / 2), call)
  }
}
