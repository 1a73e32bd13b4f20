// An answer's PDU against the request it must fit (MODBUS Application Protocol V1.1b3, clauses 6 and 7). Whatever stands in
// it comes from the device and is believed only where it fits to the byte.

import { encode, functionOf, identifyType, type Request } from './pdu.ts'
import { isBits } from './value-types.ts'

/** The exception code the device answers with; undefined where the PDU is no exception to this request. */
export function exceptionIn(request: Request, pdu: Buffer): number | undefined {
  return pdu.length === 2 && pdu[0] === (functionOf(request) | 0x80) ? pdu[1] : undefined
}

/** What was read; no bytes for what only writes. @throws Error saying in which way the answer does not fit. */
export function dataIn(request: Request, pdu: Buffer): Buffer {
  const code = functionOf(request)
  if (pdu.length === 0) throw new Error('the answer is empty')
  if (pdu[0] !== code) throw new Error(`answered function ${pdu[0]} where ${code} was asked`)
  if ('identify' in request) return identified(pdu)
  if (!reads(request)) return echoed(request, pdu)
  const wanted = dataSize(request)
  if (pdu.length !== wanted + 2 || pdu[1] !== wanted) {
    const says = pdu[1] === pdu.length - 2 ? '' : ` and says ${pdu[1] ?? 'nothing'}`
    throw new Error(`answered ${Math.max(0, pdu.length - 2)} bytes${says} where ${wanted} were asked for`)
  }
  return pdu.subarray(2)
}

/** Bytes of the PDU that answers `request` and is no exception; undefined where only the answer itself tells. */
export function answerSize(request: Request): number | undefined {
  if ('identify' in request) return undefined
  if (reads(request)) return 2 + dataSize(request)
  return request.function === 22 ? 7 : 5
}

type Reading = Extract<Request, { count: number }>

function reads(request: Request): request is Reading {
  return 'table' in request || ('function' in request && request.function === 23)
}

function dataSize(request: Reading): number {
  return 'table' in request && isBits(request.table) ? Math.ceil(request.count / 8) : request.count * 2
}

/** Function, type, level, conformity, whether more follows, the next object, how many are here (clause 6.21). */
export const identificationHead = 7

function identified(pdu: Buffer): Buffer {
  if (pdu[1] !== identifyType || pdu.length < identificationHead) throw new Error('answered no device identification')
  return pdu.subarray(2)
}

/** Writing is confirmed by the beginning of the request: all of functions 5, 6 and 22, else address and count. */
function echoed(request: Request, pdu: Buffer): Buffer {
  const wanted = encode(request).subarray(0, answerSize(request))
  if (!pdu.equals(wanted))
    throw new Error(
      `confirmed ${pdu.subarray(1).toString('hex')} where ${wanted.subarray(1).toString('hex')} was written`,
    )
  return pdu.subarray(pdu.length)
}
