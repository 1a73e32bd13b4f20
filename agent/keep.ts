// What a source remembers over restarts: how far it read a log, which counters were high already. A few bytes of text,
// replaced whole; whoever saves after `emit` resolved never repeats, and never skips, what a crash interrupted.

import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export interface Keep {
  /** Undefined where nothing was saved, or it cannot be read. */
  load(): string | undefined
  /** Durable when it returns. @throws the disk's error; what was saved before is then still there. */
  save(text: string): void
}

export function fileKeep(file: string): Keep {
  return {
    load() {
      try {
        return readFileSync(file, 'utf8')
      } catch {
        // Absent at first; what a damaged disk does not give is as good as absent.
        return undefined
      }
    },
    save(text) {
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(`${file}.new`, text, { flush: true })
      renameSync(`${file}.new`, file)
      syncFolder(dirname(file))
    },
  }
}

/** Outlives nothing: for one reading, and for tests. */
export function memoryKeep(text?: string): Keep {
  let kept = text
  return {
    load: () => kept,
    save(next) {
      kept = next
    },
  }
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
