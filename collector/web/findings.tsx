// What is going wrong, and what was.

import type { FindingAnswer } from '../api/answers.ts'
import { read } from './client.ts'
import { figure } from './format.ts'
import { Empty, Failed, Lasting, SeverityMark, Simulated, toldError, useLoaded } from './parts.tsx'
import { hashOf, rangeReaching } from './route.ts'
import type { State } from './store.ts'
import { useWords } from './words.ts'

interface FindingsProps {
  readonly state: State
  readonly node: string | undefined
}

export function Findings({ state, node }: FindingsProps) {
  const words = useWords()
  const loaded = useLoaded(signal => read<{ findings: FindingAnswer[] }>('/api/findings', { node }, signal), [node])
  const live = [...state.findings.values()].filter(f => node === undefined || f.node === node)
  const all = [...new Map([...(loaded.value?.findings ?? []), ...live].map(f => [f.id, f])).values()]
  const open = all.filter(f => f.until === null).sort((a, b) => b.since - a.since)
  const closed = all.filter(f => f.until !== null).sort((a, b) => b.until! - a.until!)
  const error = toldError(loaded)
  return (
    <>
      <h1>{words('findings')}</h1>
      {node !== undefined && (
        <p class="narrowed">
          {words('onlyNode', { node })} <a href={hashOf({ at: 'findings', node: undefined })}>{words('allNodes')}</a>
        </p>
      )}
      {error && <Failed error={error} />}
      <h2>
        {words('open')} {open.length > 0 && <span class="count">{figure(open.length)}</span>}
      </h2>
      {open.length === 0 && (
        <Empty title={words('nothingWrong')}>
          <p>{words('nothingWrongDo')}</p>
        </Empty>
      )}
      <FindingList findings={open} time={state.time} />
      <h2>{words('closed')}</h2>
      {closed.length === 0 && <p class="empty">{words('noneClosed')}</p>}
      <FindingList findings={closed} time={state.time} />
    </>
  )
}

interface FindingListProps {
  readonly findings: readonly FindingAnswer[]
  readonly time: number
}

export function FindingList({ findings, time }: FindingListProps) {
  return (
    <ul class="findings">
      {findings.map(finding => (
        <FindingItem key={finding.id} finding={finding} time={time} />
      ))}
    </ul>
  )
}

/** Where it went: to an incident, or nowhere because it is muted or no problem. */
function FindingMarks({ finding: { incident, muted, lowered } }: { readonly finding: FindingAnswer }) {
  const words = useWords()
  return (
    <>
      {muted !== null && <span class="mark">{words('muted', { name: muted })}</span>}
      {lowered !== null && <span class="mark">{words('notAProblem')}</span>}
      {incident !== null && (
        <a class="of-incident" href={hashOf({ at: 'incident', id: incident })}>
          {words('incident')}
        </a>
      )}
    </>
  )
}

function FindingItem({ finding, time }: { readonly finding: FindingAnswer; readonly time: number }) {
  const words = useWords()
  const { severity, message, node, simulated, series, rule, kind, since, until, evidence } = finding
  const chart = { at: 'node', node, range: rangeReaching(since, time), filter: series?.name ?? '' } as const
  const disk = kind.startsWith('disk-') && typeof evidence.disk === 'string' ? evidence.disk : undefined
  return (
    <li class={`finding ${severity} ${until === null ? 'open' : 'closed'}`}>
      <p class="what">
        <SeverityMark severity={severity} /> <span class="message">{message}</span> <Simulated when={simulated} />
        <FindingMarks finding={finding} />
      </p>
      <p class="where">
        <a href={hashOf({ at: 'node', node, range: '5m', filter: '' })}>{node}</a>
        {series && <code>{seriesText(series.name, series.attributes)}</code>}
        <span>
          {words('rule')} <code>{rule}</code>
        </span>
      </p>
      <dl class="facts">
        <Lasting of={finding} time={time} />
        {Object.entries(evidence).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{typeof value === 'number' ? figure(value) : value}</dd>
          </div>
        ))}
      </dl>
      <a class="chart" href={hashOf(disk === undefined ? chart : { at: 'disk', disk })}>
        {words(disk === undefined ? 'showChart' : 'showDisk')}
      </a>
    </li>
  )
}

function seriesText(name: string, attributes: FindingAnswer['evidence'] | Readonly<Record<string, unknown>>): string {
  const telling = Object.entries(attributes).filter(([key]) => key !== 'simulated')
  return telling.length === 0 ? name : `${name} {${telling.map(([key, value]) => `${key}=${value}`).join(', ')}}`
}
