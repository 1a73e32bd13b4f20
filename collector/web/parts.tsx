// Small pieces that several views show.

import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Severity } from '../../core/model.ts'
import type { NodeState } from '../api/view.ts'
import { Failure } from './client.ts'
import type { Key } from './texts.ts'
import { useWords } from './words.ts'

export function StateMark({ state }: { readonly state: NodeState }) {
  return <span class={`state ${state}`}>{useWords()(state)}</span>
}

export function SeverityMark({ severity }: { readonly severity: Severity }) {
  return <span class={`severity ${severity}`}>{useWords()(severity)}</span>
}

export function Simulated({ when }: { readonly when: boolean }) {
  const words = useWords()
  return when ? <span class="simulated">{words('simulated')}</span> : null
}

interface EmptyProps {
  readonly title: string
  readonly children?: ComponentChildren
}

/** Nothing to show, and what to do about it. */
export function Empty({ title, children }: EmptyProps) {
  return (
    <div class="empty">
      <p class="what">{title}</p>
      {children}
    </div>
  )
}

export function Failed({ error }: { readonly error: Error }) {
  const words = useWords()
  return (
    <p class="failed" role="alert">
      {words('failed', { reason: error.message })}
    </p>
  )
}

export interface Loaded<T> {
  readonly value: T | undefined
  readonly error: Error | undefined
}

/**
 * What `load` gives, asked again whenever `keys` change and `every` so many ms; while the page is hidden it rests.
 * An earlier value stays until the next arrives; a failure stays until a success.
 */
export function useLoaded<T>(
  load: (signal: AbortSignal) => Promise<T>,
  keys: readonly unknown[],
  every?: number,
): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T>>({ value: undefined, error: undefined })
  useEffect(() => {
    const leave = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    let asked = false
    const turn = async (): Promise<void> => {
      if (!document.hidden || !asked) await load(leave.signal).then(took, failed)
      asked = true
      if (every !== undefined && !leave.signal.aborted) timer = setTimeout(turn, every)
    }
    const took = (value: T): void => {
      if (!leave.signal.aborted) setLoaded({ value, error: undefined })
    }
    const failed = (error: Error): void => {
      if (!leave.signal.aborted) setLoaded(before => ({ value: before.value, error }))
    }
    void turn()
    return () => {
      leave.abort()
      clearTimeout(timer)
    }
  }, keys)
  return loaded
}

/** A lost connection has its own banner; only what the collector itself said is worth a line. */
export function toldError({ error }: Loaded<unknown>): Error | undefined {
  return error instanceof Failure ? error : undefined
}

interface LastingProps {
  readonly of: { readonly since: number; readonly until: number | null }
  readonly time: number
}

/** Since when and for how long, as facts. */
export function Lasting({ of: { since, until }, time }: LastingProps) {
  const words = useWords()
  return (
    <>
      <div>
        <dt>{words('since')}</dt>
        <dd>
          {words.moment(since, time)} {until === null && words('forNow', { t: words.span(time - since) })}
        </dd>
      </div>
      {until !== null && (
        <div>
          <dt>{words('until')}</dt>
          <dd>
            {words.moment(until, time)} {words('lasted', { t: words.span(until - since) })}
          </dd>
        </div>
      )}
    </>
  )
}

/** The head of a table, a column for each of these words. */
export function Heads({ heads }: { readonly heads: readonly Key[] }) {
  const words = useWords()
  return (
    <thead>
      <tr>
        {heads.map(head => (
          <th key={head} scope="col" class={head}>
            {words(head)}
          </th>
        ))}
      </tr>
    </thead>
  )
}
