// What a node told in words.

import { useMemo } from 'preact/hooks'
import type { EventAnswer } from '../api/answers.ts'
import { read } from './client.ts'
import { factsOf, summaryOf } from './event-text.ts'
import { Failed, SeverityMark, Simulated, toldError, useLoaded } from './parts.tsx'
import type { State } from './store.ts'
import { useWords } from './words.ts'

export function Events({ state, node }: { readonly state: State; readonly node: string }) {
  const words = useWords()
  const loaded = useLoaded(
    signal => read<{ events: EventAnswer[] }>('/api/events', { node, limit: 100 }, signal),
    [node],
  )
  const live = state.events.filter(event => event.node === node)
  const events = useMemo(() => once([...live, ...(loaded.value?.events ?? [])]), [live.length, live[0], loaded.value])
  const error = toldError(loaded)
  return (
    <section class="events">
      <h2>{words('events')}</h2>
      {error && <Failed error={error} />}
      {events.length === 0 && <p class="empty">{words('noEvents')}</p>}
      <ul>
        {events.map(({ id, event }) => (
          <li key={id}>
            <time dateTime={new Date(event.time).toISOString()}>{words.moment(event.time, state.time)}</time>
            <SeverityMark severity={event.severity} />
            <code>{event.name}</code>
            <b>{summaryOf(event)}</b>
            <span class="body">{factsOf(event).join(' · ')}</span>
            <Simulated when={event.simulated} />
          </li>
        ))}
      </ul>
    </section>
  )
}

/** An event may come both by the feed and by the list; the newest first. */
function once(events: readonly EventAnswer[]): { readonly id: string; readonly event: EventAnswer }[] {
  const byText = new Map(events.map(event => [JSON.stringify(event), event]))
  return [...byText].map(([id, event]) => ({ id, event })).sort((a, b) => b.event.time - a.event.time)
}
