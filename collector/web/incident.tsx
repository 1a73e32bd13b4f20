// One incident: what it is likely to come from, the series to look at, and how it went.

import { useMemo, useState } from 'preact/hooks'
import type { IncidentDetailAnswer } from '../api/answers.ts'
import { ChartGrid } from './chart.tsx'
import { change, read } from './client.ts'
import { groupsOf } from './groups.ts'
import { whereText } from './incidents.tsx'
import { readLines } from './lines.ts'
import { momentsOf } from './moments.ts'
import { Failed, Lasting, SeverityMark, Simulated, toldError, useLoaded } from './parts.tsx'
import { hashOf } from './route.ts'
import type { State } from './store.ts'
import type { Key } from './texts.ts'
import { useWords } from './words.ts'

interface IncidentProps {
  readonly state: State
  readonly id: string
}

/** What changes without being told: the charts of an open one, ms. */
const refresh = 5000

export function Incident({ state, id }: IncidentProps) {
  const words = useWords()
  const known = state.incidents.get(id)
  const load = (signal: AbortSignal) => read<IncidentDetailAnswer>(`/api/incidents/${id}`, {}, signal)
  const loaded = useLoaded(load, [id, known], known?.until === null ? refresh : undefined)
  const error = toldError(loaded)
  const incident = loaded.value
  if (incident === undefined) return error ? <Failed error={error} /> : <p class="empty">{words('loading')}</p>
  return (
    <>
      <Head incident={incident} />
      {incident.into !== null && (
        <p class="narrowed">
          {words('partOf')} <a href={hashOf({ at: 'incident', id: incident.into })}>{words('incident')}</a>
        </p>
      )}
      <dl class="facts">
        <Lasting of={incident} time={state.time} />
      </dl>
      <Cause incident={incident} />
      <Feedback incident={incident} time={state.time} />
      <Evidence incident={incident} />
      <Timeline incident={incident} time={state.time} />
    </>
  )
}

function Head({ incident }: { readonly incident: IncidentDetailAnswer }) {
  const words = useWords()
  const { severity, simulated, findings, openFindings, feedback } = incident
  return (
    <div class="head">
      <h1>{words('incident')}</h1> <SeverityMark severity={severity} /> <Simulated when={simulated} />
      {feedback !== null && <span class="mark">{words('notAProblem')}</span>}
      <span class="fact">{whereText(incident, words)}</span>
      <span class="fact">{words('findingsIn', { n: findings })}</span>
      <span class="fact">{words('openIn', { n: openFindings })}</span>
    </div>
  )
}

const grounds: Readonly<Record<NonNullable<IncidentDetailAnswer['cause']>['ground'], Key>> = {
  only: 'causeOnly',
  upstream: 'causeUpstream',
  first: 'causeFirst',
  severe: 'causeSevere',
  together: 'causeTogether',
}

function Cause({ incident: { cause, common } }: { readonly incident: IncidentDetailAnswer }) {
  const words = useWords()
  const seconds = cause === null ? 0 : Number((cause.after / 1000).toFixed(1))
  return (
    <section class="cause">
      <h2>{words('likelyCause')}</h2>
      {cause === null && <p>{words('noCause')}</p>}
      {cause !== null && (
        <p>
          <a href={hashOf({ at: 'node', node: cause.finding.node, range: '5m', filter: '' })}>{cause.finding.node}</a>{' '}
          <code>{cause.finding.rule}</code> <span class="message">{cause.finding.message}</span>
        </p>
      )}
      {cause !== null && (
        <p class="why">
          {words(grounds[cause.ground])} {seconds > 0 && words('afterFirst', { s: seconds })}
        </p>
      )}
      {common !== null && <p class="why">{common === '*' ? words('storm') : words('commonCause', { rule: common })}</p>}
    </section>
  )
}

interface FeedbackProps {
  readonly incident: IncidentDetailAnswer
  readonly time: number
}

/** What was said of it, or a place to say it. */
function Feedback({ incident: { id, feedback, into }, time }: FeedbackProps) {
  const words = useWords()
  const [note, setNote] = useState('')
  const [error, setError] = useState<Error>()
  const act = (work: Promise<void>): void => void work.then(() => setError(undefined), setError)
  if (into !== null) return null
  if (feedback !== null) {
    return (
      <section class="feedback">
        <p>
          {words('saidNoProblem', { time: words.moment(feedback.at, time) })} {feedback.note}
        </p>
        <ul>
          {feedback.patterns.map(({ rule, metric, node, place }) => (
            <li key={`${rule} ${metric} ${node}`}>
              <code>{rule}</code> {metric} {node ?? Object.values(place ?? {}).join(' · ')}
            </li>
          ))}
        </ul>
        <button type="button" onClick={() => act(change('DELETE', `/api/feedback/${id}`))}>
          {words('takeBack')}
        </button>
        {error && <Failed error={error} />}
      </section>
    )
  }
  return (
    <form
      class="feedback"
      onSubmit={e => {
        e.preventDefault()
        act(change('POST', '/api/feedback', { incident: id, note }))
      }}
    >
      <input
        type="text"
        maxLength={500}
        aria-label={words('note')}
        placeholder={words('note')}
        value={note}
        onInput={e => setNote(e.currentTarget.value)}
      />
      <button type="submit">{words('sayNoProblem')}</button>
      <p class="why">{words('noProblemMeans')}</p>
      {error && <Failed error={error} />}
    </form>
  )
}

function Evidence({ incident }: { readonly incident: IncidentDetailAnswer }) {
  const { charts, from, to } = incident
  const ids = charts.map(({ id }) => id).join()
  const plots = useMemo(() => {
    const series = charts.map(one => ({ ...one, attributes: { ...one.attributes, node: one.node } }))
    return groupsOf(series).flatMap(group => group.plots)
  }, [ids])
  const loaded = useLoaded(signal => readLines(plots, { from, to }, signal), [plots, from, to])
  const error = toldError(loaded)
  if (plots.length === 0) return null
  return (
    <>
      {error && <Failed error={error} />}
      <ChartGrid plots={plots} data={loaded.value} />
    </>
  )
}

function Timeline({
  incident: { timeline, more },
  time,
}: {
  readonly incident: IncidentDetailAnswer
  readonly time: number
}) {
  const words = useWords()
  return (
    <section>
      <h2>{words('timeline')}</h2>
      <ol class="timeline">
        {momentsOf(timeline).map(({ time: at, ends, finding: { id, severity, node, rule, message, lowered } }) => (
          <li key={`${id} ${ends}`} class={ends ? 'ends' : severity}>
            <time>{words.moment(at, time)}</time>{' '}
            {ends ? <span class="over">{words('ends')}</span> : <SeverityMark severity={severity} />}{' '}
            <a href={hashOf({ at: 'node', node, range: '5m', filter: '' })}>{node}</a> <code>{rule}</code>{' '}
            {!ends && <span class="message">{message}</span>}
            {lowered !== null && <span class="mark">{words('notAProblem')}</span>}
          </li>
        ))}
      </ol>
      {more && <p class="why">{words('moreFindings')}</p>}
    </section>
  )
}
