// What a source remembers over restarts: how far it read a log, which counters were high already. A few bytes of text,
// replaced whole; whoever saves after `emit` resolved never repeats, and never skips, what a crash interrupted.

import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export interface Keep {
  /** Undefined where nothing was saved, or it cannot be read. */
  load(): string | undefined
  /** Durable when it returns. @throws the disk's error; what was saved before is then still there. */
  save(text: string): void
  /** Another one of its own, for what changes at its own pace. */
  part(name: string): Keep
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
    // No source can have a name with ~ in it.
    part: name => fileKeep(file.replace(/(\.json)?$/, `~${name}.json`)),
  }
}

/** Outlives nothing: for one reading, and for tests. */
export function memoryKeep(text?: string): Keep {
  let kept = text
  const parts = new Map<string, Keep>()
  return {
    load: () => kept,
    save(next) {
      kept = next
    },
    part(name) {
      const part = parts.get(name) ?? memoryKeep()
      parts.set(name, part)
      return part
    },
  }
}

/** What was saved as JSON; undefined where nothing was, and where a damaged disk gives something else. */
export function savedJson({ load }: Pick<Keep, 'load'>): unknown {
  try {
    return JSON.parse(load() ?? '')
  } catch {
    return undefined
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
