// The language of the page, and what depends on it: texts, spans of time, moments.

import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import { fill, type Key, type Language, languages, languageTags, texts, type Values } from './texts.ts'

const kept = 'fieldline.language'

/** The one chosen here before, else the first of the browser's that there is, else English. */
export function preferredLanguage(): Language {
  const wanted = [remembered(), ...navigator.languages].map(tag => tag?.slice(0, 2).toLowerCase())
  return wanted.map(two => languages.find(l => l === two)).find(l => l !== undefined) ?? 'en'
}

export function rememberLanguage(language: Language): void {
  if (storage() !== undefined) localStorage.setItem(kept, language)
}

function remembered(): string | undefined {
  return storage()?.getItem(kept) ?? undefined
}

/** A browser that forbids keeping anything throws at the mere mention. */
function storage(): Storage | undefined {
  try {
    return window.localStorage
  } catch {
    return undefined
  }
}

export interface Words {
  readonly language: Language
  (key: Key, values?: Values): string
  /** A length of time in its largest unit. */
  span(ms: number): string
  ago(ms: number): string
  /** Clock time, with the date unless it is of `today`. */
  moment(time: number, today: number): string
  day(time: number): string
}

export function wordsOf(language: Language): Words {
  const text = (key: Key, values?: Values): string => fill(texts[language][key], values)
  const tag = languageTags[language]
  const clock = new Intl.DateTimeFormat(tag, { timeStyle: 'medium', hourCycle: 'h23' })
  const full = new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' })
  const date = new Intl.DateTimeFormat(tag, { dateStyle: 'medium' })
  const span = (ms: number): string => {
    const s = Math.max(0, Math.round(ms / 1000))
    if (s < 120) return text('seconds', { n: s })
    if (s < 7200) return text('minutes', { n: Math.round(s / 60) })
    return s < 172_800 ? text('hours', { n: Math.round(s / 3600) }) : text('days', { n: Math.round(s / 86_400) })
  }
  const ago = (ms: number): string => (ms < 1500 ? text('justNow') : text('ago', { t: span(ms) }))
  const moment = (time: number, today: number): string => (sameDay(time, today) ? clock : full).format(time)
  const day = (time: number): string => date.format(time)
  return Object.assign(text, { language, span, ago, moment, day })
}

function sameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString()
}

export const WordsContext = createContext<Words | undefined>(undefined)

export function useWords(): Words {
  const words = useContext(WordsContext)
  if (words === undefined) throw new Error('useWords outside of the page')
  return words
}
