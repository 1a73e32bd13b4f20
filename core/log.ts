// What a daemon says to its operator: one line a message on stderr, `severity message key=value`. In the journal the
// severity travels as the <N> prefix of sd-daemon(3). Normal operation is silent; troubles are said once a change.

import { fstatSync, writeSync } from 'node:fs'
import type { Severity } from './model.ts'

/** Says one thing to the operator; parts are handed one and never write to a stream themselves. */
export type Say = (severity: Severity, message: string, fields?: Readonly<Record<string, string | number>>) => void

/** syslog(3) priorities. */
const priorities: Readonly<Record<Severity, number>> = { info: 6, warning: 4, error: 3, critical: 2 }

/** Writes to `write`, by default stderr at once: what is said last before a crash must be seen. */
export function log(journal = inJournal(process.env), write = writeStderr): Say {
  return (severity, message, fields = {}) => {
    const head = journal ? `<${priorities[severity]}>` : `${severity} `
    write(`${head}${format(message, fields)}\n`)
  }
}

function writeStderr(line: string): void {
  try {
    writeSync(2, line)
  } catch (error) {
    // A reader that went away or is slow (EPIPE, EAGAIN) must not end a daemon; there is nobody left to tell.
    if (!isStreamGone(error)) throw error
  }
}

function isStreamGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['EPIPE', 'EAGAIN', 'EIO'].includes(String(error.code))
}

function format(message: string, fields: Readonly<Record<string, string | number>>): string {
  const parts = Object.entries(fields).map(([key, value]) => `${key}=${isSecret(key) ? '***' : quote(value)}`)
  return [oneLine(hideSecrets(message)), ...parts].join(' ')
}

function quote(value: string | number): string {
  const text = hideSecrets(String(value))
  return /^[^\s"=\p{C}]+$/u.test(text) ? text : oneLine(JSON.stringify(text))
}

/** Line breaks and control characters as escapes, so that no text can forge a line or steer a terminal. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, c =>
    c === '\n' ? '\\n' : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Whether a key names a secret itself; `password_file` names a file. */
export function isSecret(key: string): boolean {
  return /pass(word|phrase|wd)?$|secret$|token$/i.test(key)
}

/** A text without the user and password of any URL in it. */
export function hideSecrets(text: string): string {
  return text.replace(/\b([a-z][a-z0-9+.-]{0,15}:\/\/)[^\s/@"']+@/gi, '$1***@')
}

/** stderr is the journal when its device and inode are those of JOURNAL_STREAM, systemd.exec(5). */
export function inJournal(env: NodeJS.ProcessEnv): boolean {
  if (env.JOURNAL_STREAM === undefined) return false
  const { dev, ino } = fstatSync(2)
  return env.JOURNAL_STREAM === `${dev}:${ino}`
}

/** Tells of a subject's trouble when it begins or changes, and once when it is over (undefined). */
export type Trouble = (
  subject: string,
  trouble: string | undefined,
  fields?: Readonly<Record<string, string | number>>,
) => void

export function troubles(say: Say): Trouble {
  const known = new Map<string, string>()
  return (subject, trouble, fields) => {
    if (known.get(subject) === trouble) return
    if (trouble === undefined) {
      known.delete(subject)
      say('info', `${subject}: works again`, fields)
    } else {
      known.set(subject, trouble)
      say('warning', `${subject}: ${trouble}`, fields)
    }
  }
}
