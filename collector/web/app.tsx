// The frame of the page: menu, banner, what is read out, and the view the address names.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Disk } from './disk.tsx'
import { Disks } from './disks.tsx'
import { Findings } from './findings.tsx'
import { Fleet } from './fleet.tsx'
import { figure } from './format.ts'
import { Incident } from './incident.tsx'
import { Incidents } from './incidents.tsx'
import { Node } from './node.tsx'
import { type Route, routeOf } from './route.ts'
import { type Said, type State, type Store, useStore } from './store.ts'
import { type Language, languageNames, languages, languageTags } from './texts.ts'
import { preferredLanguage, rememberLanguage, useWords, type Words, WordsContext, wordsOf } from './words.ts'

export function App({ store }: { readonly store: Store }) {
  const state = useStore(store)
  const route = useRoute()
  const [language, setLanguage] = useState(preferredLanguage)
  const words = useMemo(() => wordsOf(language), [language])
  useEffect(() => {
    document.documentElement.lang = languageTags[language]
    document.title = titleOf(route, words)
  }, [route, language])
  const choose = (next: Language): void => {
    rememberLanguage(next)
    setLanguage(next)
  }
  return (
    <WordsContext.Provider value={words}>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        {words('skip')}
      </button>
      <Header state={state} route={route} language={language} choose={choose} />
      {state.link === 'lost' && <p class="banner">{words('lost', { time: words.moment(state.time, Date.now()) })}</p>}
      <p class="aloud" role="status" aria-live="polite">
        {state.said && aloud(state.said, words)}
      </p>
      <Main state={state} route={route} />
    </WordsContext.Provider>
  )
}

function useRoute(): Route {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const moved = (): void => setHash(location.hash)
    addEventListener('hashchange', moved)
    return () => removeEventListener('hashchange', moved)
  }, [])
  return useMemo(() => routeOf(hash), [hash])
}

function titleOf(route: Route, words: Words): string {
  return `${placeOf(route, words)} – Fieldline`
}

/** What a view of one thing shows. */
function thingOf(route: Route): string | undefined {
  if (route.at === 'node') return route.node
  if (route.at === 'disk') return route.disk
  return route.at === 'incident' ? route.id : undefined
}

function placeOf(route: Route, words: Words): string {
  if (route.at === 'node') return route.node
  if (route.at === 'disk') return route.disk
  return words(route.at === 'missing' ? 'fleet' : route.at)
}

function aloud(said: Said, words: Words): string {
  if (said.kind === 'link') return words(said.link === 'lost' ? 'lostSaid' : 'regained')
  if (said.kind === 'node') return words('nodeIs', { node: said.node.name, state: words(said.node.state) })
  const { node, message, until } = said.finding
  return words(until === null ? 'findingOpened' : 'findingClosed', { node, message })
}

interface HeaderProps {
  readonly state: State
  readonly route: Route
  readonly language: Language
  readonly choose: (language: Language) => void
}

function Header({ state, route, language, choose }: HeaderProps) {
  const words = useWords()
  const here = (at: Route['at']): 'page' | undefined => (route.at === at ? 'page' : undefined)
  const open = state.vitals?.openFindings ?? 0
  const incidents = state.vitals?.openIncidents ?? 0
  return (
    <header class="top">
      <a class="brand" href="#/">
        <img src="/icon.svg" alt="Fieldline" width="22" height="22" /> <span aria-hidden="true">Fieldline</span>
      </a>
      <nav aria-label={words('menu')}>
        <a href="#/" aria-current={here('fleet')}>
          {words('fleet')}
        </a>
        <a href="#/incidents" aria-current={here('incidents')}>
          {words('incidents')} {incidents > 0 && <span class="count">{figure(incidents)}</span>}
        </a>
        <a href="#/disks" aria-current={here('disks')}>
          {words('disks')}
        </a>
        <a href="#/findings" aria-current={here('findings')}>
          {words('findings')} {open > 0 && <span class="count">{figure(open)}</span>}
        </a>
      </nav>
      <select aria-label={words('language')} value={language} onChange={e => choose(e.currentTarget.value as Language)}>
        {languages.map(l => (
          <option key={l} value={l} lang={languageTags[l]}>
            {languageNames[l]}
          </option>
        ))}
      </select>
    </header>
  )
}

function Main({ state, route }: { readonly state: State; readonly route: Route }) {
  const words = useWords()
  const main = useRef<HTMLElement>(null)
  const first = useRef(true)
  const place = thingOf(route) ?? route.at
  useEffect(() => {
    if (!first.current) {
      main.current?.focus()
      scrollTo(0, 0)
    }
    first.current = false
  }, [place])
  return (
    <main id="main" tabIndex={-1} ref={main}>
      {route.at === 'fleet' && <Fleet state={state} />}
      {route.at === 'node' && <Node key={route.node} state={state} route={route} />}
      {route.at === 'disks' && <Disks />}
      {route.at === 'disk' && <Disk key={route.disk} id={route.disk} time={state.time} />}
      {route.at === 'incidents' && <Incidents state={state} />}
      {route.at === 'incident' && <Incident key={route.id} state={state} id={route.id} />}
      {route.at === 'findings' && <Findings state={state} node={route.node} />}
      {route.at === 'missing' && <p class="empty">{words('missing')}</p>}
    </main>
  )
}
