// One drive: how likely it fails and why, its counts, and how they and its score went.

import { useMemo } from 'preact/hooks'
import { damage } from '../../judge/disks/reading.ts'
import type { DiskDetailAnswer, SeriesAnswer } from '../api/answers.ts'
import type { DiskCount } from '../api/view.ts'
import { ChartGrid } from './chart.tsx'
import { Failure, read } from './client.ts'
import { percent, yearsOf } from './disk-text.ts'
import { RiskMark, trendText } from './disks.tsx'
import { figure } from './format.ts'
import type { Plot } from './groups.ts'
import { type Lines, readLines } from './lines.ts'
import { Empty, Failed, Simulated, toldError, useLoaded } from './parts.tsx'
import { hashOf } from './route.ts'
import { useWords } from './words.ts'

const refresh = 60_000
const span = 30 * 86_400_000

export function Disk({ id, time }: { readonly id: string; readonly time: number }) {
  const words = useWords()
  const path = `/api/disks/${encodeURIComponent(id)}`
  const loaded = useLoaded(signal => read<DiskDetailAnswer>(path, {}, signal), [id], refresh)
  const disk = loaded.value
  if (loaded.error instanceof Failure && loaded.error.status === 404) {
    return (
      <Empty title={words('noSuchDisk', { id })}>
        <p>
          <a href={hashOf({ at: 'disks' })}>{words('disks')}</a>
        </p>
      </Empty>
    )
  }
  const error = toldError(loaded)
  return (
    <>
      {error && <Failed error={error} />}
      {disk === undefined && !error && <p class="empty">{words('loading')}</p>}
      {disk && <Head disk={disk} time={time} />}
      {disk && <Verdict disk={disk} />}
      {disk && disk.counts.length > 0 && <Counts counts={disk.counts} />}
      {disk && <History disk={disk} />}
    </>
  )
}

function Head({ disk, time }: { readonly disk: DiskDetailAnswer; readonly time: number }) {
  const words = useWords()
  const { id, vendor, model, serial, nodes, device, terabytes, hours, readAt, simulated, gone } = disk
  return (
    <div class="head">
      <h1>{[vendor, model].filter(Boolean).join(' ') || id}</h1> <RiskMark risk={disk.risk} />
      <Simulated when={simulated} />
      <span class="fact">
        {serial} <b>{terabytes && `${terabytes} TB`}</b>
      </span>
      <span class="fact">
        {words('node')}{' '}
        {nodes.map(node => (
          <a key={node} href={hashOf({ at: 'node', node, range: '24h', filter: 'physical_disk' })}>
            {node}{' '}
          </a>
        ))}
        <b>{device}</b>
      </span>
      {hours !== null && (
        <span class="fact">
          {words('powered')} <b>{words('years', { n: yearsOf(hours) })}</b>
        </span>
      )}
      {readAt !== null && (
        <span class="fact">
          {words('lastRead')} <b>{words.ago(time - readAt)}</b>
        </span>
      )}
      {gone !== null && <span class="fact">{words('goneSince', { day: words.day(gone) })}</span>}
      {disk.asleep && <span class="fact">{words('asleep')}</span>}
    </div>
  )
}

function Verdict({ disk }: { readonly disk: DiskDetailAnswer }) {
  const words = useWords()
  const { sentence, says, wear, probability } = disk
  return (
    <div class={`verdict ${disk.risk ?? ''}`}>
      <p class="figure">
        {probability === null ? words('unknown') : percent(probability)}
        <span class="aside">
          {words('probability')} {trendText(disk, words)}
        </span>
      </p>
      {says.map(fact => (
        <p key={fact} class="message">
          {fact}
        </p>
      ))}
      <p>{sentence}</p>
      {wear && <p>{wear.sentence}</p>}
    </div>
  )
}

function Counts({ counts }: { readonly counts: readonly DiskCount[] }) {
  const words = useWords()
  const heads = ['count', 'now', 'atFirst', 'in7', 'in30', 'in120', 'grewLast'] as const
  return (
    <div class="wide">
      <table class="counts">
        <thead>
          <tr>
            {heads.map(head => (
              <th key={head} scope="col">
                {words(head)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {counts.map(({ name, value, first, grown7, grown30, grown120, grownAt }) => (
            <tr key={name}>
              <th scope="row">{words(name)}</th>
              {[value, first, grown7, grown30, grown120].map((n, at) => (
                <td key={heads[at + 1]} class={at > 1 && n > 0 && isDamage(name) ? 'grown' : ''}>
                  {figure(n)}
                </td>
              ))}
              <td>{grownAt === null ? '–' : words.day(grownAt)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Power cycles and the like may grow. */
function isDamage(name: DiskCount['name']): boolean {
  return damage.some(one => one === name)
}

function History({ disk }: { readonly disk: DiskDetailAnswer }) {
  const words = useWords()
  const plots = useMemo(() => plotsOf(disk.series), [disk.series.map(s => s.id).join()])
  const load = (signal: AbortSignal): Promise<Lines> => {
    const to = Math.ceil(Date.now() / 60_000) * 60_000
    return readLines(plots, { from: to - span, to }, signal)
  }
  const loaded = useLoaded(load, [plots], refresh)
  return (
    <>
      <h2>{words('last30')}</h2>
      <ChartGrid plots={plots} data={loaded.value} />
    </>
  )
}

/** One for each count; where the drive was at several nodes, a line for each. Counts are shown as they stand, not as rates. */
function plotsOf(series: readonly SeriesAnswer[]): readonly Plot[] {
  return [...Map.groupBy(series, titleOf)].map(([title, all]) => {
    const { name, unit } = all[0]!
    const lines = all.map(s => ({ id: s.id, label: all.length > 1 ? s.node : '' }))
    return { name, unit, title, kind: 'gauge', simulated: all.some(s => s.simulated), lines, all: lines.length }
  })
}

function titleOf({ name, attributes }: SeriesAnswer): string {
  const { 'hw.physical_disk.smart_id': id, 'hw.physical_disk.smart_attribute': attribute } = attributes
  if (id !== undefined) return `${id} ${attribute}`
  const telling = ['error.type', 'disk.io.direction', 'hw.physical_disk.defect'].flatMap(key => attributes[key] ?? [])
  return [name, ...telling].join(' ')
}
