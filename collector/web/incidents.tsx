// Incidents: findings that belong together.

import type { IncidentAnswer } from '../api/answers.ts'
import { figure } from './format.ts'
import { Empty, Lasting, SeverityMark, Simulated } from './parts.tsx'
import { hashOf } from './route.ts'
import type { State } from './store.ts'
import { useWords, type Words } from './words.ts'

export function Incidents({ state }: { readonly state: State }) {
  const words = useWords()
  const all = [...state.incidents.values()]
  const open = all.filter(i => i.until === null).sort((a, b) => b.since - a.since)
  const over = all.filter(i => i.until !== null).sort((a, b) => b.since - a.since)
  return (
    <>
      <h1>{words('incidents')}</h1>
      <h2>
        {words('open')} {open.length > 0 && <span class="count">{figure(open.length)}</span>}
      </h2>
      {open.length === 0 && (
        <Empty title={words('noIncident')}>
          <p>{words('noIncidentDo')}</p>
        </Empty>
      )}
      <IncidentList incidents={open} time={state.time} />
      <h2>{words('closed')}</h2>
      {over.length === 0 && <p class="empty">{words('noneClosed')}</p>}
      <IncidentList incidents={over} time={state.time} />
    </>
  )
}

function IncidentList({ incidents, time }: { readonly incidents: readonly IncidentAnswer[]; readonly time: number }) {
  const words = useWords()
  return (
    <ul class="findings">
      {incidents.map(incident => {
        const { id, severity, until, simulated, cause, feedback, findings } = incident
        return (
          <li key={id} class={`finding ${severity} ${until === null ? 'open' : 'closed'}`}>
            <p class="what">
              <SeverityMark severity={severity} />{' '}
              <a class="message" href={hashOf({ at: 'incident', id })}>
                {cause === null ? words('noCause') : cause.finding.message}
              </a>{' '}
              <Simulated when={simulated} />
              {feedback !== null && <span class="mark">{words('notAProblem')}</span>}
            </p>
            <p class="where">
              <span>{whereText(incident, words)}</span>
              <span>{words('findingsIn', { n: findings })}</span>
            </p>
            <dl class="facts">
              <Lasting of={incident} time={time} />
            </dl>
          </li>
        )
      })}
    </ul>
  )
}

export function whereText({ nodes, hosts, place }: IncidentAnswer, words: Words): string {
  const around = Object.entries(place).at(-1)?.join(' ')
  const who = hosts === 1 ? nodes[0]! : words('hosts', { n: hosts })
  return around === undefined ? who : `${who} · ${around}`
}
