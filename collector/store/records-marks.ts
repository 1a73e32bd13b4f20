// How far each stream is folded. The inbox's own watermarks are ahead of these; they matter when the inbox is lost.

import type { Database, Statement } from 'better-sqlite3'

export interface Mark {
  readonly node: string
  readonly stream: string
  readonly watermark: number
  /** When it last moved. */
  readonly seen: number
}

export const markSchema = `CREATE TABLE IF NOT EXISTS watermark (
  node TEXT NOT NULL, stream TEXT NOT NULL, watermark INTEGER NOT NULL, seen REAL NOT NULL,
  PRIMARY KEY (node, stream)) WITHOUT ROWID`

export class Marks {
  readonly #put: Statement<[Mark]>
  readonly #all: Statement<[], Mark>
  readonly #drop: Statement<[number]>
  #changed = new Map<string, Mark>()

  constructor(db: Database) {
    db.exec(markSchema)
    this.#put = db.prepare(`INSERT INTO watermark VALUES (@node, @stream, @watermark, @seen)
      ON CONFLICT DO UPDATE SET watermark = max(watermark, excluded.watermark), seen = max(seen, excluded.seen)`)
    this.#all = db.prepare('SELECT node, stream, watermark, seen FROM watermark')
    this.#drop = db.prepare('DELETE FROM watermark WHERE seen < ?')
  }

  put(mark: Mark): void {
    this.#changed.set(`${mark.node} ${mark.stream}`, mark)
  }

  all(): readonly Mark[] {
    return this.#all.all()
  }

  write(): void {
    for (const mark of this.#changed.values()) this.#put.run(mark)
  }

  written(): void {
    this.#changed = new Map()
  }

  retain(before: number): void {
    this.#drop.run(before)
  }
}
