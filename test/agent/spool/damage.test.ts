// Damage of every kind, each at a known place. Whatever is hit: the spool opens and goes on, all it delivers is what was
// put under that stream and seq, and what is missing is declared.

import {
  appendFileSync,
  closeSync,
  cpSync,
  openSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Spool } from '../../../agent/spool.ts'
import { drain, fast, gapOf, labelOf, parcel, rig, seeded, seedOf, settleAll, takeAll } from './rig.ts'

const pageSize = 4096
const seed = seedOf()
const random = seeded(seed)
t.comment(`FIELDLINE_SEED=${seed}`)

interface Written {
  readonly folder: string
  /** Label by stream and seq, of everything ever put, and of what waits. */
  readonly put: ReadonlyMap<string, string>
  readonly live: ReadonlySet<string>
}

const keyOf = ({ stream, seq }: { stream: string; seq: number }): string => `${stream} ${seq}`

/** 60 envelopes drained, 90 waiting, some on overflow pages; `logged` leaves the newest 20 in the log as after a crash. */
async function written(t: Test, logged: boolean): Promise<Written> {
  const folder = t.testdir()
  const live = join(folder, 'live')
  const r = rig(live)
  const put = new Map<string, string>()
  const fill = async (from: number, to: number): Promise<Spool> => {
    const spool = await r.open(fast)
    for (let n = from; n < to; n++) {
      await spool.put(parcel(`${n}`, n % 3 === 0 ? 9000 : 1100, n % 10 === 0 ? 'events' : 'metrics'))
    }
    for (const envelope of takeAll(spool)) put.set(keyOf(envelope), labelOf(envelope))
    return spool
  }
  await (await fill(0, 40)).close()
  const spool = await fill(40, 130)
  const older = takeAll(spool).filter(envelope => Number(labelOf(envelope)) < 60)
  settleAll(
    spool,
    older.sort((a, b) => a.seq - b.seq),
  )
  await spool.close()
  const last = await fill(130, 150)
  const copy = join(folder, 'copy')
  if (logged) cpSync(live, copy, { recursive: true })
  const waiting = takeAll(last)
  await last.close()
  if (!logged) cpSync(live, copy, { recursive: true })
  return { folder: copy, put, live: new Set(waiting.map(keyOf)) }
}

let copies = 0

/** Opens a damaged copy and checks the promise. Returns how many waiting envelopes were lost. */
async function survives(t: Test, written: Written, what: string, harm: (file: string) => void): Promise<number> {
  const folder = `${written.folder}-${copies++}`
  cpSync(written.folder, folder, { recursive: true })
  harm(join(folder, 'spool.db'))
  const r = rig(folder)
  const spool = await r.open(fast)
  const got = drain(spool)
  await spool.put(parcel('after'))
  got.push(...drain(spool))
  await spool.close()
  const problems: string[] = []
  const seen = new Set<string>()
  for (const envelope of got) {
    if (gapOf(envelope) !== undefined || labelOf(envelope) === 'after') continue
    const key = keyOf(envelope)
    const label = written.put.get(key)
    const wanted = label === undefined ? undefined : parcel(label, envelope.payload.length, 'metrics').payload
    if (wanted === undefined || !Buffer.from(envelope.payload).equals(wanted)) problems.push(`${key} was never put`)
    if (seen.has(key)) problems.push(`${key} came twice`)
    seen.add(key)
  }
  if (!got.some(envelope => labelOf(envelope) === 'after')) problems.push('it did not go on')
  const lost = [...written.live].filter(key => !seen.has(key)).length
  const gaps = got.flatMap(envelope => gapOf(envelope) ?? [])
  const declared = gaps.reduce((sum, { envelopes }) => sum + (envelopes === 0 ? written.live.size : envelopes), 0)
  if (lost > declared) problems.push(`${lost} lost, ${declared} declared`)
  const told = r.said.filter(({ message }) => message.includes('was damaged')).length
  if (lost > 0 && told === 0) problems.push('nothing was said')
  const aside = new Set(readdirSync(folder).flatMap(name => /corrupt-\w+/.exec(name) ?? []))
  if (told !== aside.size) problems.push('what was damaged is not kept aside')
  t.strictSame(problems, [], what)
  return lost
}

function flip(file: string, at: number, bit = Math.floor(random() * 8)): void {
  const bytes = readFileSync(file)
  const fd = openSync(file, 'r+')
  writeSync(fd, Buffer.from([bytes[at]! ^ (1 << bit)]), 0, 1, at)
  closeSync(fd)
}

function overwrite(file: string, at: number, bytes: Buffer): void {
  const fd = openSync(file, 'r+')
  writeSync(fd, bytes, 0, bytes.length, at)
  closeSync(fd)
}

/** Page numbers by kind. https://www.sqlite.org/fileformat2.html */
function pagesOf(file: string): Record<'interior' | 'leaf' | 'trunk' | 'free' | 'overflow', number[]> {
  const bytes = readFileSync(file)
  const pages = {
    interior: [] as number[],
    leaf: [] as number[],
    trunk: [] as number[],
    free: [] as number[],
    overflow: [] as number[],
  }
  for (let trunk = bytes.readUInt32BE(32); trunk !== 0; ) {
    const at = (trunk - 1) * pageSize
    pages.trunk.push(trunk)
    for (let n = 0; n < bytes.readUInt32BE(at + 4); n++) pages.free.push(bytes.readUInt32BE(at + 8 + 4 * n))
    trunk = bytes.readUInt32BE(at)
  }
  for (let n = 2; n <= bytes.length / pageSize; n++) {
    if (pages.trunk.includes(n) || pages.free.includes(n)) continue
    const kind = bytes[(n - 1) * pageSize]
    if (kind === 0x05) pages.interior.push(n)
    else if (kind === 0x0d) pages.leaf.push(n)
    else pages.overflow.push(n)
  }
  return pages
}

const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!

t.test('an undamaged copy loses nothing and is left alone', async t => {
  for (const logged of [false, true]) {
    const w = await written(t, logged)
    t.equal(await survives(t, w, 'as it is', () => {}), 0)
  }
})

t.test('a file that is not a database', async t => {
  const w = await written(t, false)
  await survives(t, w, 'text', file => {
    truncateSync(file)
    appendFileSync(file, 'this is not a database'.repeat(1000))
  })
  await survives(t, w, 'empty', file => truncateSync(file))
  await survives(t, w, 'a few bytes', file => truncateSync(file, 7))
})

t.test('every byte of the header, flipped', async t => {
  const w = await written(t, false)
  for (let at = 0; at < 100; at++) await survives(t, w, `byte ${at}`, file => flip(file, at))
})

t.test('the first page overwritten: the rows are found without it', async t => {
  const w = await written(t, false)
  t.equal(await survives(t, w, 'zeros', file => overwrite(file, 0, Buffer.alloc(pageSize))), 0)
})

for (const kind of ['interior', 'leaf', 'trunk', 'free', 'overflow'] as const) {
  t.test(`bits flipped in pages of kind ${kind}`, async t => {
    const w = await written(t, false)
    const pages = pagesOf(join(w.folder, 'spool.db'))[kind]
    t.ok(pages.length > 0, `there are ${pages.length}`)
    for (let n = 0; n < 10; n++) {
      const page = pick(pages)
      const at = (page - 1) * pageSize + Math.floor(random() * (n % 2 === 0 ? 24 : pageSize))
      const lost = await survives(t, w, `byte ${at % pageSize} of page ${page}`, file => flip(file, at))
      if (kind === 'free' || kind === 'trunk' || kind === 'interior') t.equal(lost, 0)
    }
  })

  t.test(`pages of kind ${kind} overwritten with zeros and with noise`, async t => {
    const w = await written(t, false)
    const pages = pagesOf(join(w.folder, 'spool.db'))[kind]
    for (let n = 0; n < 4; n++) {
      const page = pick(pages)
      const noise = Buffer.from(Array.from({ length: pageSize }, () => Math.floor(random() * 256)))
      const bytes = n % 2 === 0 ? Buffer.alloc(pageSize) : noise
      await survives(t, w, `page ${page}`, file => overwrite(file, (page - 1) * pageSize, bytes))
    }
  })
}

t.test('an overflow page lost costs the one envelope, and its samples are counted', async t => {
  const w = await written(t, false)
  const file = join(w.folder, 'spool.db')
  const bytes = readFileSync(file)
  const page = pagesOf(file).overflow.find(n => {
    const text = bytes.subarray((n - 1) * pageSize + 4, n * pageSize).toString('latin1')
    return /^[\d|]{100}/.test(text) && text.includes('|81|')
  })
  t.ok(page !== undefined)
  overwrite(file, (page! - 1) * pageSize + 100, Buffer.from('xyz'))
  const spool = await rig(w.folder).open(fast)
  t.equal(drain(spool).length, w.live.size - 1)
  await spool.put(parcel('after'))
  const gap = drain(spool)
    .flatMap(envelope => gapOf(envelope) ?? [])
    .at(-1)
  t.match(gap, { cause: 'corrupt', envelopes: 1, samples: 10 })
  t.match(spool.stats(), { salvages: 1, dropped_envelopes: 1, dropped_samples: 10 })
  await spool.close()
})

t.test('a freelist that names a page in use costs nothing', async t => {
  const w = await written(t, false)
  const { trunk, leaf, interior } = pagesOf(join(w.folder, 'spool.db'))
  for (const page of [...interior, ...leaf.filter((_, n) => n % 4 === 0)]) {
    const named = Buffer.alloc(4)
    named.writeUInt32BE(page)
    const harm = (file: string): void => overwrite(file, (trunk[0]! - 1) * pageSize + 8, named)
    t.equal(await survives(t, w, `page ${page}`, harm), 0)
  }
})

t.test('truncated at any length', async t => {
  const w = await written(t, false)
  const size = readFileSync(join(w.folder, 'spool.db')).length
  const lengths = [1, 99, 4095, 4096, 4097, 8192, size - 1, size - pageSize, size - pageSize - 1]
  for (let n = 0; n < 12; n++) lengths.push(Math.floor(random() * size))
  for (const length of lengths) await survives(t, w, `${length} of ${size} bytes`, file => truncateSync(file, length))
})

t.test('the log: bytes of its header, and bytes anywhere in it', async t => {
  const w = await written(t, true)
  const size = readFileSync(join(w.folder, 'spool.db-wal')).length
  t.ok(size > 20 * pageSize)
  for (let at = 0; at < 32; at += 2) await survives(t, w, `header byte ${at}`, file => flip(`${file}-wal`, at))
  for (let n = 0; n < 60; n++) {
    const at =
      n % 3 === 0 ? 32 + Math.floor(n * 1.3) * (pageSize + 24) + (n % 24) : 32 + Math.floor(random() * (size - 32))
    await survives(t, w, `byte ${at}`, file => flip(`${file}-wal`, Math.min(at, size - 1)))
  }
})

t.test('the database lost or empty while its log is there', async t => {
  const w = await written(t, true)
  const { rmSync } = await import('node:fs')
  await survives(t, w, 'gone', file => rmSync(file))
  await survives(t, w, 'empty', file => truncateSync(file))
})

t.test('a truncated log loses only what it held', async t => {
  const w = await written(t, true)
  const size = readFileSync(join(w.folder, 'spool.db-wal')).length
  for (let n = 0; n < 12; n++) {
    const folder = `${w.folder}-${copies++}`
    cpSync(w.folder, folder, { recursive: true })
    truncateSync(join(folder, 'spool.db-wal'), Math.floor(random() * size))
    const spool = await rig(folder).open(fast)
    const got = drain(spool)
    t.ok(got.length >= 70 && got.every(envelope => w.put.get(keyOf(envelope)) === labelOf(envelope)))
    await spool.close()
  }
})

t.test('damage met while running is mended in place, under the same streams and seqs', async t => {
  const folder = t.testdir()
  const r = rig(folder, { uplinks: ['home', 'cloud'] })
  const spool = await r.open(fast)
  for (let n = 0; n < 300; n++) await spool.put(parcel(`${n}`, 9000))
  const before = takeAll(spool)
  settleAll(spool, before.slice(0, 50))
  const file = join(folder, 'spool.db')
  const bytes = readFileSync(file)
  const at = bytes.indexOf('|120|')
  t.ok(at > 0)
  overwrite(file, at, Buffer.from('xxx'))
  const cloud = drain(spool, 'cloud')
  t.equal(cloud.length, 299)
  t.notOk(cloud.some(envelope => labelOf(envelope) === '120'))
  t.match(spool.stats(), { envelopes: 249, bytes: 249 * 9100 })
  await spool.put(parcel('after'))
  const home = takeAll(spool)
  t.strictSame(
    [labelOf(home[1]!), home[1]!.stream, home[1]!.seq],
    ['50', before[50]!.stream, 51],
    'home kept its place',
  )
  const put = home.find(envelope => labelOf(envelope) === 'after')!
  t.strictSame([put.stream, put.seq], [before[0]!.stream, 301])
  t.match(gapOf(home[0]!), { stream: put.stream, cause: 'corrupt', envelopes: 1, samples: 10 })
  t.equal(r.said.length, 1)
  await spool.close()
})

t.test('a file truncated while running is mended too', async t => {
  const folder = t.testdir()
  const r = rig(folder)
  const spool = await r.open(fast)
  for (let n = 0; n < 300; n++) await spool.put(parcel(`${n}`, 9000))
  truncateSync(join(folder, 'spool.db'), 100 * pageSize)
  const got = drain(spool)
  await spool.put(parcel('after'))
  got.push(...drain(spool))
  const gaps = got.flatMap(envelope => gapOf(envelope) ?? [])
  t.equal(got.length - 1 - gaps.length + gaps[0]!.envelopes, 300)
  t.equal(labelOf(got.at(-1)!), 'after')
  await spool.close()
})

t.test('at most three damaged files are kept', async t => {
  const r = rig(t.testdir())
  for (let n = 0; n < 5; n++) {
    const spool = await r.open(fast)
    await spool.put(parcel(`${n}`))
    await spool.close()
    r.time += 1000
    overwrite(join(r.options.folder, 'spool.db'), 0, Buffer.alloc(100))
  }
  const spool = await r.open(fast)
  t.strictSame(
    drain(spool)
      .flatMap(envelope => (gapOf(envelope) === undefined ? labelOf(envelope) : []))
      .sort(),
    ['0', '1', '2', '3', '4'],
  )
  t.equal(readdirSync(r.options.folder).filter(name => name.includes('corrupt')).length, 3)
  await spool.close()
})

t.test('the table of refused envelopes is salvaged with the rest', async t => {
  const r = rig(t.testdir())
  const spool = await r.open(fast)
  await spool.put(parcel('a', 9000))
  const [{ stream, seq }] = takeAll(spool) as [ReturnType<typeof takeAll>[number]]
  spool.settle('home', { committed: new Map([[stream, seq]]), refused: [{ stream, seq, reason: 'bad' }] })
  await spool.close()
  overwrite(join(r.options.folder, 'spool.db'), 0, Buffer.alloc(100))
  const again = await r.open(fast)
  t.match(again.refused(9), [{ stream, seq, reason: 'bad', uplink: 'home', bytes: 9000 }])
  await again.close()
})

t.test('a damaged lock file is made anew', async t => {
  const r = rig(t.testdir({ 'spool.lock': 'this is not a database'.repeat(300) }))
  const spool = await r.open(fast)
  await t.rejects(r.open(fast), { message: /in use by process/ })
  await spool.close()
})
