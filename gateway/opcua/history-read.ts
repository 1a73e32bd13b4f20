// Raw values of some nodes from the server's history, page by page (OPC 10000-11, 6.5.3; OPC 10000-4, 5.10.3).

import type { DataValue, HistoryReadResult, NodeId } from 'node-opcua-client'
import { within } from './patience.ts'
import type { Session } from './session.ts'

export interface Wanted {
  readonly nodeId: NodeId
  /** Source times, ms; neither belongs to it. */
  readonly from: number
  readonly until: number
}

/** How much of one was read, and why no more; without a reason it is all. */
export interface Outcome {
  /** Source time of the last value read, or `from`. */
  readonly upTo: number
  readonly reason?: string
}

interface Reading extends Wanted {
  point: Buffer | undefined
  upTo: number
  values: number
  reason?: string
}

/** Values of one answer, all nodes together, and of one node in it. */
const valuesAnAnswer = 10_000
const valuesAPage = 1000
/** A server may answer without values while it still looks for them (5.10.3); for ever it may not. */
const emptyPages = 20

/**
 * Gives each page to `take`, in order, and waits for it: `page[n]` are the values of `wanted[n]`, oldest first, none twice.
 * @throws what ends the session; what the server says of a node is in its outcome.
 */
export async function readRaw(
  session: Session,
  wanted: readonly Wanted[],
  { most, timeout }: { readonly most: number; readonly timeout: number },
  take: (page: readonly (readonly DataValue[])[]) => Promise<void>,
): Promise<readonly Outcome[]> {
  const readings: Reading[] = wanted.map(one => ({ ...one, point: undefined, upTo: one.from, values: 0 }))
  let open = readings
  for (let empty = 0; open.length > 0; ) {
    const results = await ask(session, readings, open, timeout)
    const page = new Map(open.map((reading, n) => [reading, valuesOf(results[n], reading)]))
    await take(readings.map(reading => page.get(reading) ?? []))
    const isEmpty = [...page.values()].every(values => values.length === 0)
    empty = isEmpty ? empty + 1 : 0
    for (const [n, reading] of open.entries()) goOn(reading, results[n], page.get(reading)!, most, empty)
    await release(session, readings, open.filter(isGivenUp), timeout)
    open = open.filter(({ point, reason }) => point !== undefined && reason === undefined)
  }
  return readings.map(({ upTo, reason }) => ({ upTo, ...(reason !== undefined && { reason }) }))
}

function goOn(
  reading: Reading,
  result: HistoryReadResult | undefined,
  page: readonly DataValue[],
  most: number,
  empty: number,
): void {
  const status = result?.statusCode
  reading.values += page.length
  reading.upTo = page.length > 0 ? timeOf(page.at(-1)!) : reading.upTo
  reading.point = pointOf(result)
  if (status === undefined || status.isBad()) reading.reason = `the server says ${status?.name ?? 'nothing of it'}`
  else if (reading.point !== undefined && reading.values >= most) reading.reason = `it has more than ${most} values`
  else if (reading.point !== undefined && empty >= emptyPages) reading.reason = 'the server answers without values'
}

function pointOf(result: HistoryReadResult | undefined): Buffer | undefined {
  const point: Buffer | null | undefined = result?.continuationPoint
  return point && point.length > 0 ? point : undefined
}

function isGivenUp({ point, reason }: Reading): boolean {
  return point !== undefined && reason !== undefined
}

async function ask(
  session: Session,
  all: readonly Reading[],
  open: readonly Reading[],
  timeout: number,
): Promise<readonly HistoryReadResult[]> {
  const answer = await send(session, all, open, timeout, false)
  return answer.results ?? []
}

/** Continuation points are few: those that are not used any more are given back. */
async function release(
  session: Session,
  all: readonly Reading[],
  open: readonly Reading[],
  timeout: number,
): Promise<void> {
  if (open.length > 0) await send(session, all, open, timeout, true)
}

/** What is asked for stays the same over all pages (5.10.3.2). */
function send(
  { library, client, lost }: Session,
  all: readonly Reading[],
  open: readonly Reading[],
  timeout: number,
  isLast: boolean,
) {
  const request = new library.HistoryReadRequest({
    historyReadDetails: new library.ReadRawModifiedDetails({
      isReadModified: false,
      startTime: new Date(Math.min(...all.map(({ from }) => from))),
      endTime: new Date(Math.max(...all.map(({ until }) => until))),
      numValuesPerNode: Math.max(10, Math.min(valuesAPage, Math.floor(valuesAnAnswer / all.length))),
      returnBounds: false,
    }),
    timestampsToReturn: library.TimestampsToReturn.Both,
    releaseContinuationPoints: isLast,
    nodesToRead: open.map(({ nodeId, point }) => ({ nodeId, ...(point && { continuationPoint: point }) })),
  })
  return within(timeout, 'reading history', client.historyRead(request), lost)
}

function valuesOf(result: HistoryReadResult | undefined, { upTo, until }: Reading): readonly DataValue[] {
  const data = result?.historyData
  const all: readonly DataValue[] =
    data && 'dataValues' in data && Array.isArray(data.dataValues) ? data.dataValues : []
  let last = upTo
  return all.filter(value => {
    const time = timeOf(value)
    if (time <= last || time >= until) return false
    last = time
    return true
  })
}

function timeOf({ sourceTimestamp, serverTimestamp }: DataValue): number {
  return (sourceTimestamp ?? serverTimestamp)?.getTime() ?? 0
}
