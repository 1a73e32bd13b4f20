// One node: what it is, what is wrong with it, and its series as charts.

import { useMemo, useState } from 'preact/hooks'
import type { NodeAnswer, SeriesAnswer } from '../api/answers.ts'
import { ChartGrid } from './chart.tsx'
import { read } from './client.ts'
import { Events } from './events.tsx'
import { FindingList } from './findings.tsx'
import { figure } from './format.ts'
import { filtered, type Group, groupsOf, type Plot } from './groups.ts'
import { buckets, type Lines, readLines } from './lines.ts'
import { Empty, Failed, Simulated, StateMark, toldError, useLoaded } from './parts.tsx'
import { hashOf, type Range, type Route, rangeMs, ranges } from './route.ts'
import type { State } from './store.ts'
import { useWords } from './words.ts'

type NodeRoute = Extract<Route, { at: 'node' }>

interface NodeProps {
  readonly state: State
  readonly route: NodeRoute
}

export function Node({ state, route }: NodeProps) {
  const words = useWords()
  const node = state.nodes?.get(route.node)
  if (state.nodes === undefined) return <p class="empty">{words('loading')}</p>
  if (node === undefined) {
    return (
      <Empty title={words('noSuchNode', { node: route.node })}>
        <p>
          {words('noSuchNodeDo')} <a href="#/">{words('fleet')}</a>
        </p>
      </Empty>
    )
  }
  const open = [...state.findings.values()].filter(f => f.node === node.name && f.until === null)
  return (
    <>
      <Head node={node} time={state.time} />
      {open.length > 0 && <FindingList findings={open} time={state.time} />}
      <Charts node={node} route={route} />
      <Events state={state} node={node.name} />
    </>
  )
}

function Head({ node, time }: { readonly node: NodeAnswer; readonly time: number }) {
  const words = useWords()
  const attributes = Object.entries(node.attributes)
  return (
    <div class="head">
      <h1>{node.name}</h1> <StateMark state={node.state} /> <Simulated when={node.simulated} />
      <span class="fact">
        {words('lastSeen')} <b>{words.ago(time - node.lastSeen)}</b>
      </span>
      <span class="fact">
        {words('samplesPerSecond')} <b>{figure(node.samplesPerSecond)}</b>
      </span>
      <span class="fact">
        {words('series')} <b>{figure(node.series)}</b>
      </span>
      <a class="narrowed" href={hashOf({ at: 'findings', node: node.name })}>
        {words('findingsOf')}
      </a>
      {attributes.length > 0 && (
        <details class="attributes">
          <summary>{words('attributes')}</summary>
          <dl>
            {attributes.map(([key, value]) => (
              <div key={key}>
                <dt>{key}</dt>
                <dd>{String(value)}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </div>
  )
}

/** Series come and go rarely; a change in their number asks at once. */
const relist = 60_000

function Charts({ node, route }: { readonly node: NodeAnswer; readonly route: NodeRoute }) {
  const words = useWords()
  const load = (signal: AbortSignal) =>
    read<{ series: SeriesAnswer[] }>('/api/series', { node: node.name, limit: 5000 }, signal)
  const loaded = useLoaded(load, [node.name, node.series], relist)
  const series = loaded.value?.series
  const groups = useMemo(() => groupsOf(filtered(series ?? [], route.filter)), [series, route.filter])
  const error = toldError(loaded)
  return (
    <>
      <Tools route={route} />
      {error && <Failed error={error} />}
      {series?.length === 0 && (
        <Empty title={words('noSeries')}>
          <p>{words('noSeriesDo')}</p>
          <pre>fieldline status</pre>
        </Empty>
      )}
      {series && series.length > 0 && groups.length === 0 && (
        <Empty title={words('noMatch')}>
          <p>
            {words('noMatchDo')} <a href={hashOf({ ...route, filter: '' })}>{words('clear')}</a>
          </p>
        </Empty>
      )}
      {groups.map(group => (
        <GroupOfCharts key={group.word} group={group} range={route.range} filtered={route.filter !== ''} />
      ))}
    </>
  )
}

function Tools({ route }: { readonly route: NodeRoute }) {
  const words = useWords()
  const filter = (text: string): void => {
    history.replaceState(null, '', hashOf({ ...route, filter: text }))
    dispatchEvent(new HashChangeEvent('hashchange'))
  }
  return (
    <div class="tools">
      <nav class="ranges" aria-label={words('range')}>
        {ranges.map(range => (
          <a
            key={range}
            class="range"
            href={hashOf({ ...route, range })}
            aria-current={route.range === range ? 'true' : undefined}
          >
            {rangeText(range, words)}
          </a>
        ))}
      </nav>
      <input
        type="search"
        aria-label={words('filter')}
        placeholder={words('filterHint')}
        value={route.filter}
        onInput={e => filter(e.currentTarget.value)}
      />
    </div>
  )
}

function rangeText(range: Range, words: ReturnType<typeof useWords>): string {
  const n = Number.parseInt(range, 10)
  return words(range.endsWith('m') ? 'minutes' : range.endsWith('h') ? 'hours' : 'days', { n })
}

interface GroupProps {
  readonly group: Group
  readonly range: Range
  readonly filtered: boolean
}

/** A closed group asks for nothing. What Fieldline says of itself starts closed, unless it was looked for. */
function GroupOfCharts({ group, range, filtered }: GroupProps) {
  const words = useWords()
  const [open, setOpen] = useState(filtered || group.title !== 'groupSelf')
  return (
    <details class="group" open={open} onToggle={e => setOpen(e.currentTarget.open)}>
      <summary>
        <h2>{group.title ? words(group.title) : group.word}</h2>
      </summary>
      {open && <GroupBody plots={group.plots} range={range} />}
    </details>
  )
}

function GroupBody({ plots, range }: { readonly plots: readonly Plot[]; readonly range: Range }) {
  const loaded = useLines(plots, range)
  const error = toldError(loaded)
  return (
    <>
      {error && <Failed error={error} />}
      <ChartGrid plots={plots} data={loaded.value} />
    </>
  )
}

const refresh: Readonly<Record<Range, number>> = { '5m': 2000, '1h': 5000, '24h': 30_000, '7d': 120_000 }

function useLines(plots: readonly Plot[], range: Range) {
  const load = (signal: AbortSignal): Promise<Lines> => {
    const step = rangeMs[range] / buckets
    const to = Math.ceil(Date.now() / step) * step
    return readLines(plots, { from: to - rangeMs[range], to }, signal)
  }
  return useLoaded(load, [plots, range], refresh[range])
}
