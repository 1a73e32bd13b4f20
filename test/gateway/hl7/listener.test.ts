import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import t, { type Test } from 'tap'
import { SpoolFull } from '../../../agent/spool.ts'
import { Refused } from '../../../core/errors.ts'
import type { Observation } from '../../../core/model.ts'
import { Place } from '../../../core/shape.ts'
import { listAside } from '../../../gateway/hl7/aside.ts'
import { framed } from '../../../gateway/hl7/mllp.ts'
import { Pace } from '../../../gateway/hl7/pace.ts'
import { secureServer } from '../../../gateway/hl7/secure.ts'
import { hl7 } from '../../../gateway/sources/hl7.ts'
import { peer } from '../../peers.ts'
import { closed, codeOf, connected, monitor, oru, type Ward, ward } from './rig.ts'

const names = ({ emitted }: Ward): string[] => emitted.flatMap(o => o.events.map(e => e.name))

t.test('a message is acknowledged when it is durable, not before', async t => {
  const { promise: durable, resolve: commit } = Promise.withResolvers<void>()
  const here = await ward(t, {}, () => durable)
  const bed = await connected(t, here.port)
  bed.write(framed(Buffer.from(oru(1))))
  let answered = false
  const answer = bed.answer().finally(() => {
    answered = true
  })
  await new Promise(resolve => setTimeout(resolve, 50))
  t.notOk(answered)
  commit()
  const got = await answer
  t.equal(codeOf(got), 'AA')
  t.equal(got.segment('MSA')!.field(2).text, '1')
  t.equal(got.type, 'ACK')
})

t.test('answers come in the order of their messages, however long each takes', async t => {
  const waits: (() => void)[] = []
  const here = await ward(t, {}, () => new Promise(resolve => waits.push(resolve)))
  const bed = await connected(t, here.port)
  bed.write(Buffer.concat([1, 2, 3].map(n => framed(Buffer.from(oru(n))))))
  while (waits.length < 3) await new Promise(resolve => setImmediate(resolve))
  for (const done of waits.toReversed()) done()
  const ids = [await bed.answer(), await bed.answer(), await bed.answer()].map(m => m.segment('MSA')!.field(2).text)
  t.strictSame(ids, ['1', '2', '3'])
})

t.test('while the spool is full the sender is asked to send again, and then it is stored', async t => {
  let full = true
  const here = await ward(t, {}, async () => {
    if (full) throw new SpoolFull('spool: full')
  })
  const bed = await connected(t, here.port)
  t.equal(await bed.send(oru(1)), 'AE')
  t.equal(await bed.send(oru(2, 80, '|||AL|NE')), 'CE')
  full = false
  t.equal(await bed.send(oru(1)), 'AA')
  t.equal(here.emitted.length, 1)
})

t.test(
  'a message that comes again has the same key, another one under its control id has not, and that is told',
  async t => {
    const here = await ward(t)
    const bed = await connected(t, here.port)
    for (const value of [80, 80, 81]) t.equal(await bed.send(oru(7, value)), 'AA')
    const keys = here.emitted.map(o => o.once)
    t.equal(keys.length, 2)
    t.match(keys[0], /^ward hl7 [0-9a-f]{64}$/)
    t.not(keys[0], keys[1])
    t.match(here.emitted[1]!.events.at(-1), { name: 'hl7.control-id.reused', body: { print: /^[0-9a-f]{16}$/ } })
    t.equal(await bed.send(oru('', 1)), 'AA')
    t.equal(here.emitted.at(-1)!.once, undefined, 'without a control id nothing can be known again')
  },
)

t.test(
  'a poison message is answered, kept aside for its owner alone, told without its content, and blocks nothing',
  async t => {
    const poison = 'PID|||4711||Doe^John\r'
    const here = await ward(t)
    const bed = await connected(t, here.port)
    t.equal(await bed.send(poison), 'AR')
    t.equal(await bed.send(poison), 'AR')
    t.equal(await bed.send(oru(1).replace('|2.6', '|3.0')), 'AR')
    t.equal(await bed.send(oru(2)), 'AA')
    const kept = listAside(here.folder)
    t.equal(kept.length, 2)
    t.match(kept.map(k => k.kind).sort(), ['malformed', 'unusable'])
    const one = kept.find(k => k.kind === 'malformed')!
    t.equal(readFileSync(one.file, 'utf8'), poison)
    for (const name of readdirSync(here.folder)) t.equal(statSync(join(here.folder, name)).mode & 0o777, 0o600)
    t.equal(statSync(here.folder).mode & 0o777, 0o700)
    t.notMatch(JSON.stringify(here.emitted.slice(0, -1)), /4711|Doe/)
    t.equal(names(here).filter(name => name === 'hl7.aside').length, 3)
    t.equal(new Set(here.emitted.map(o => o.once).filter(Boolean)).size, 3, 'the repeated one is told once')
  },
)

t.test('what the edge will never take is kept aside, and its sender told not to send it again', async t => {
  const here = await ward(t, {}, async ({ events }: Observation) => {
    if (events.some(e => e.name === 'hl7.message')) throw new Refused('the date cannot be true')
  })
  const bed = await connected(t, here.port)
  t.equal(await bed.send(oru(1)), 'AR')
  t.match(listAside(here.folder), [{ kind: 'unusable', reason: 'the date cannot be true' }])
})

t.test('a poison message that cannot be kept aside stays with its sender', async t => {
  const here = await ward(t, {}, async () => {
    throw new Error('the disk failed')
  })
  const bed = await connected(t, here.port)
  t.equal(await bed.send(oru(1).replace('|2.6', '|3.0')), 'AE')
})

t.test('several messages in one frame are each stored and answered', async t => {
  const here = await ward(t)
  const bed = await connected(t, here.port)
  bed.write(framed(Buffer.from(`FHS|^~\\&|MON\rBHS|^~\\&|MON\r${oru(1)}${oru(2)}BTS|2\rFTS|1\r`)))
  const ids = [await bed.answer(), await bed.answer()].map(m => m.segment('MSA')!.field(2).text)
  t.strictSame(ids, ['1', '2'])
})

t.test('a message larger than allowed is refused by its control id, and the next one goes on', async t => {
  const here = await ward(t, { max_message: '2KiB' })
  const bed = await connected(t, here.port)
  t.equal(await bed.send(oru(1, 'x'.repeat(100_000))), 'AR')
  t.equal(await bed.send(oru(2)), 'AA')
  t.strictSame(names(here), ['hl7.too-large', 'hl7.message'])
})

t.test('a sender that never ends its frames is answered after a while; one that breaks off is not', async t => {
  const here = await ward(t, { frame_timeout: '200ms' })
  const bed = await connected(t, here.port)
  bed.write(`\x0b${oru(1)}`)
  t.equal(codeOf(await bed.answer()), 'AA')
  bed.write(`\x0b${oru(2).slice(0, -3)}`)
  await closed(bed.socket)
  t.equal(here.emitted.length, 1)
})

t.test('one connection too many is closed, and the others stay', async t => {
  const here = await ward(t, { max_connections: 1 })
  const bed = await connected(t, here.port)
  t.equal(await bed.send(oru(1)), 'AA')
  const other = connect(here.port, '127.0.0.1').on('error', () => {})
  await closed(other)
  t.equal(await bed.send(oru(2)), 'AA')
})

t.test('a silent connection is closed', async t => {
  const here = await ward(t, { idle: '1s' })
  const bed = await connected(t, here.port)
  await closed(bed.socket)
})

t.test('a sender that does not read its answers is not read either', async t => {
  const here = await ward(t, { pace: 100_000 })
  const bed = await connected(t, here.port)
  bed.socket.pause()
  const chunk = Buffer.concat(Array.from({ length: 200 }, (_, n) => framed(Buffer.from(oru(n)))))
  let taken = 0
  while (taken < 1500 && bed.socket.writableLength < 4_000_000) {
    bed.socket.write(chunk)
    taken++
    await new Promise(resolve => setImmediate(resolve))
  }
  t.ok(bed.socket.writableLength >= 4_000_000, 'it was held back')
  bed.socket.destroy()
})

t.test('who is not on the list gets nowhere', async t => {
  const strangers = await ward(t, { senders: [{ address: '10.0.0.0/8' }] })
  const socket = connect(strangers.port, '127.0.0.1').on('error', () => {})
  await closed(socket)
  const listed = await ward(t, {
    senders: [
      { address: '127.0.0.0/8', application: 'MON' },
      { application: 'VENT', facility: 'OR' },
    ],
  })
  const bed = await connected(t, listed.port)
  t.equal(await bed.send(oru(1)), 'AA')
  t.equal(await bed.send(oru(2).replace('|MON|', '|VENT|')), 'AR')
  t.equal(await bed.send(oru(3).replace('|MON|ICU|', '|VENT|OR|')), 'AA')
  t.match(listed.said, [/127\.0\.0\.1 sends messages of an application or facility that may not/])
})

t.test('pace gives a second at once and then its rate, to each address its own', async t => {
  let now = 0
  const pace = new Pace(10, { monotonic: () => now })
  const waits = (address: string): number[] => Array.from({ length: 12 }, () => pace.take(address))
  t.strictSame(waits('a'), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 200])
  t.strictSame(waits('b').slice(0, 10), Array(10).fill(0))
  now = 20_000
  t.equal(pace.take('a'), 0)
})

t.test('who is too fast is read more slowly, and loses nothing', async t => {
  const here = await ward(t, { pace: 50 })
  const bed = await connected(t, here.port)
  const began = performance.now()
  for (let n = 0; n < 60; n++) bed.write(framed(Buffer.from(oru(n))))
  for (let n = 0; n < 60; n++) await bed.answer()
  // What came in one chunk is taken at once, and all behind it waits.
  for (const n of [60, 61]) t.equal(await bed.send(oru(n)), 'AA')
  t.ok(performance.now() - began > 190, '11 messages more than a second holds')
  t.equal(here.emitted.length, 62)
})

t.test('with TLS and an authority only who shows a certificate of it gets in', async t => {
  if (peer(t, 'openssl') === undefined) return
  const pki = certificates(t)
  const here = await ward(t, {
    tls: { cert: pki.file('server.crt'), key: pki.file('server.key'), ca: pki.file('ca.crt') },
    senders: [{ certificate: 'bed-1' }],
  })
  const secure = (name?: string) =>
    connectTls({
      port: here.port,
      host: '127.0.0.1',
      servername: 'gateway',
      ca: pki.read('ca.crt'),
      ...(name !== undefined && { cert: pki.read(`${name}.crt`), key: pki.read(`${name}.key`) }),
    })
  const bed = secure('bed-1')
  await once(bed, 'secureConnect')
  t.equal(await (await monitor(t, bed)).send(oru(1)), 'AA')
  for (const name of [undefined, 'stranger', 'bed-2']) {
    const socket = secure(name).on('error', () => {})
    socket.resume()
    await closed(socket)
  }
  t.equal(here.emitted.length, 1)
})

t.test('certificates that were renewed come into use, and those that do not fit do not', async t => {
  if (peer(t, 'openssl') === undefined) return
  const pki = certificates(t)
  const files = { cert: pki.file('server.crt'), key: pki.file('server.key'), ca: undefined }
  const { server, renew } = secureServer(files)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const shown = async (): Promise<string> => {
    const { port } = server.address() as AddressInfo
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const { subject } = socket.getPeerCertificate()
    socket.destroy()
    return String(subject.CN)
  }
  t.equal(await shown(), 'gateway')
  t.equal(renew(), undefined)
  copyFileSync(pki.file('bed-1.crt'), files.cert)
  t.match(renew(), /key values mismatch/)
  t.equal(await shown(), 'gateway')
  copyFileSync(pki.file('bed-1.key'), files.key)
  t.equal(renew(), undefined)
  t.equal(await shown(), 'bed-1')
  rmSync(files.key)
  t.match(renew(), /cannot read tls\.key/)
})

/** An authority with a server, two beds, and a stranger of another authority. */
function certificates(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'fieldline-hl7-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = (name: string): string => join(folder, name)
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  const own = (name: string): void =>
    openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.crt`,
    )
  const signed = (name: string): void => {
    openssl(
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      `/CN=${name}`,
      '-addext',
      `subjectAltName=DNS:${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    )
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-copy_extensions',
      'copy',
      '-out',
      `${name}.crt`,
    )
  }
  own('ca')
  own('stranger')
  for (const name of ['gateway', 'bed-1', 'bed-2']) signed(name)
  for (const end of ['crt', 'key']) copyFileSync(file(`gateway.${end}`), file(`server.${end}`))
  return { file, read: (name: string) => readFileSync(file(name)) }
}

t.test('the listener stays at home until it is told who may send', async t => {
  const wrong = (raw: object): string[] => {
    const place = new Place()
    hl7.options.read(raw, place)
    return place.problems.map(p => p.message)
  }
  t.strictSame(wrong({}), [])
  t.match(wrong({ listen: '0.0.0.0:2575' }), [/say who may send/])
  t.strictSame(wrong({ listen: '0.0.0.0:2575', senders: [{ address: '10.1.0.0/16' }] }), [])
  t.match(wrong({ senders: [{}] }), [/may be anybody/])
  t.match(wrong({ senders: [{ certificate: 'bed-1' }] }), [/only with tls and its ca/])
  t.match(wrong({ senders: [{ address: '10.1.0.0/99' }] }), [/an address or a network/])
  t.match(wrong({ charset: 'KLINGON' }), [/a character set of MSH-18/])
})
