// All nodes at a glance.

import { useMemo, useState } from 'preact/hooks'
import type { LineAnswer, NodeAnswer, QueryAnswer, SeriesAnswer } from '../api/answers.ts'
import { nodeStates } from '../api/view.ts'
import { read } from './client.ts'
import { lastOf } from './columns.ts'
import { figure, quantity, scaleOf } from './format.ts'
import { headlineOf } from './groups.ts'
import { Empty, Heads, Simulated, StateMark, useLoaded } from './parts.tsx'
import { hashOf } from './route.ts'
import { Spark } from './spark.tsx'
import type { State } from './store.ts'
import { useWords } from './words.ts'

export function Fleet({ state }: { readonly state: State }) {
  const words = useWords()
  const nodes = state.nodes && troubledFirst([...state.nodes.values()])
  const activity = useActivity(nodes ?? [])
  return (
    <>
      <h1>{words('fleet')}</h1>
      <Tiles state={state} />
      {nodes === undefined && <p class="empty">{words('loading')}</p>}
      {nodes?.length === 0 && (
        <Empty title={words('noNodes')}>
          <p>{words('noNodesDo')}</p>
          <pre>fieldline agent --config agent.yaml</pre>
        </Empty>
      )}
      {nodes && nodes.length > 0 && <Nodes nodes={nodes} time={state.time} activity={activity} />}
    </>
  )
}

/** By name otherwise, as they come. */
function troubledFirst(nodes: readonly NodeAnswer[]): readonly NodeAnswer[] {
  const calm = (node: NodeAnswer): number => (node.state === 'up' && node.openFindings === 0 ? 1 : 0)
  return nodes.toSorted((a, b) => calm(a) - calm(b))
}

function Tiles({ state }: { readonly state: State }) {
  const words = useWords()
  const { vitals } = state
  const nodes = [...(state.nodes?.values() ?? [])]
  const states = nodeStates.map(s => ({ s, n: nodes.filter(node => node.state === s).length }))
  const p99 =
    vitals?.p99Ms == null ? '–' : quantity(vitals.p99Ms / 1000, scaleOf('', 's', 'gauge', vitals.p99Ms / 1000))
  return (
    <dl class="tiles">
      <div>
        <dt>{words('nodes')}</dt>
        <dd>
          {figure(nodes.length)}
          <span class="of">
            {states
              .filter(({ n }) => n > 0)
              .map(({ s, n }) => (
                <span key={s} class={`state ${s}`}>
                  {n} {words(s)}
                </span>
              ))}
          </span>
        </dd>
      </div>
      <div class={vitals?.openFindings ? 'wrong' : ''}>
        <dt>{words('openFindings')}</dt>
        <dd>{vitals ? figure(vitals.openFindings) : '–'}</dd>
      </div>
      <div>
        <dt>{words('samplesPerSecond')}</dt>
        <dd>{vitals ? figure(vitals.samplesPerSecond) : '–'}</dd>
      </div>
      <div>
        <dt>{words('series')}</dt>
        <dd>{vitals ? figure(vitals.series) : '–'}</dd>
      </div>
      <div title={words('commitP99Long')}>
        <dt>{words('commitP99')}</dt>
        <dd>{p99}</dd>
      </div>
    </dl>
  )
}

interface NodesProps {
  readonly nodes: readonly NodeAnswer[]
  readonly time: number
  readonly activity: ReadonlyMap<string, Activity>
}

/** On a narrow screen the style sheet lays the rows out as cards. */
function Nodes({ nodes, time, activity }: NodesProps) {
  return (
    <table class="fleet">
      <Heads heads={['node', 'state', 'activity', 'samplesPerSecond', 'series', 'openFindings', 'lastSeen']} />
      <tbody>
        {nodes.map(node => (
          <NodeRow key={node.name} node={node} time={time} activity={activity.get(node.name)} />
        ))}
      </tbody>
    </table>
  )
}

interface NodeRowProps {
  readonly node: NodeAnswer
  readonly time: number
  readonly activity: Activity | undefined
}

function NodeRow({ node, time, activity }: NodeRowProps) {
  const words = useWords()
  const { name, state, simulated, samplesPerSecond, series, openFindings, lastSeen } = node
  const cell = (head: 'samplesPerSecond' | 'series' | 'openFindings' | 'lastSeen', text: string) => (
    <td class={head} data-head={words(head)}>
      {text}
    </td>
  )
  return (
    <tr class={openFindings > 0 ? 'wrong' : ''}>
      <td class="node">
        <a href={hashOf({ at: 'node', node: name, range: '5m', filter: '' })}>{name}</a> <Simulated when={simulated} />
      </td>
      <td class="state">
        <StateMark state={state} />
      </td>
      <td class="activity">
        {activity && (
          <Spark column={activity.column} label={words('activityOf', { name: activity.name, value: activity.value })} />
        )}
        {activity && <span class="of">{activity.value}</span>}
      </td>
      {cell('samplesPerSecond', figure(samplesPerSecond))}
      {cell('series', figure(series))}
      {cell('openFindings', openFindings > 0 ? figure(openFindings) : '–')}
      {cell('lastSeen', words.ago(time - lastSeen))}
    </tr>
  )
}

interface Activity {
  readonly name: string
  readonly value: string
  readonly column: (number | null)[]
}

const span = 300_000
const buckets = 60
/** Nodes that get a line: finding each one's series takes a request. */
const most = 60

function useActivity(nodes: readonly NodeAnswer[]): ReadonlyMap<string, Activity> {
  const [known] = useState(
    () => new Map<string, { readonly count: number; readonly headline: SeriesAnswer | undefined }>(),
  )
  const names = nodes.slice(0, most).map(node => `${node.name} ${node.series}`)
  const load = async (signal: AbortSignal): Promise<ReadonlyMap<string, Activity>> => {
    for (const { name, series: count } of nodes.slice(0, most)) {
      if (known.get(name)?.count === count) continue
      const { series } = await read<{ series: SeriesAnswer[] }>('/api/series', { node: name, limit: 2000 }, signal)
      known.set(name, { count, headline: headlineOf(series) })
    }
    const headlines = [...known.values()].flatMap(({ headline }) => headline ?? [])
    if (headlines.length === 0) return new Map()
    const to = Math.ceil(Date.now() / 5000) * 5000
    const query = { series: headlines.map(s => s.id).join(), from: to - span, to, buckets }
    const { series } = await read<QueryAnswer>('/api/query', query, signal)
    return new Map(series.flatMap(line => activityOf(line, headlines)))
  }
  const { value } = useLoaded(load, [names.join()], 5000)
  return useMemo(() => value ?? new Map(), [value])
}

function activityOf(line: LineAnswer, headlines: readonly SeriesAnswer[]): [string, Activity][] {
  const series = headlines.find(s => s.id === line.id)
  if (series === undefined || !('mean' in line)) return []
  const last = lastOf(line.mean)
  if (last === undefined) return []
  const value = quantity(last, scaleOf(series.name, series.unit, series.kind, Math.abs(last)))
  return [[series.node, { name: series.name, value, column: [...line.mean] }]]
}
