// `fieldline hl7 send` and `fieldline hl7 aside`: for whoever tries a connection, or looks at what was not understood.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { reason } from '../core/errors.ts'
import { oneLine } from '../core/log.ts'
import type { KeptAside } from '../gateway/hl7/aside.ts'
import type { SenderOptions, Sent } from '../gateway/hl7/client.ts'
import type { Message } from '../gateway/hl7/message.ts'
import { readArguments, Usage } from './arguments.ts'
import { type Command, print, status } from './command.ts'
import { table } from './table.ts'
import { texts } from './texts.ts'

const standardPort = 2575
const usualConfig = '/etc/fieldline/gateway.yaml'

export const hl7: Command = {
  async run([verb, ...args]) {
    if (verb === 'send') return await send(args)
    if (verb === 'aside') return await aside(args)
    throw new Usage(texts(process.env).said.hl7Verbs)
  },
}

const sendOptions = {
  to: { type: 'string', default: 'mllp://127.0.0.1' },
  ca: { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
  tries: { type: 'string', default: '5' },
} as const

async function send(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args, sendOptions, ['FILE'])
  const [{ Sender }, { messagesIn }] = await Promise.all([
    import('../gateway/hl7/client.ts'),
    import('../gateway/hl7/batch.ts'),
  ])
  const sender = new Sender(destination(values))
  const ending = new AbortController()
  process.once('SIGINT', () => ending.abort())
  let [accepted, all] = [0, 0]
  for (const bytes of messagesIn(readFileSync(positionals[0]!))) {
    if (ending.signal.aborted) break
    const sent = await attempt(sender, bytes, ending.signal)
    all++
    if (sent.accepted) accepted++
  }
  sender.close()
  print(texts(process.env).said.hl7Sent(accepted, all))
  return accepted === all ? status.ok : status.failed
}

/** What cannot be read as a message is said and passed over. */
async function attempt(
  sender: { send(bytes: Buffer, signal: AbortSignal): Promise<Sent> },
  bytes: Buffer,
  signal: AbortSignal,
): Promise<Pick<Sent, 'accepted'>> {
  const { parse } = await import('../gateway/hl7/message.ts')
  try {
    const message = parse(wired(bytes))
    const sent = await sender.send(message.bytes, signal)
    print(lineOf(message, sent))
    return sent
  } catch (error) {
    print(oneLine(`--  ${reason(error)}`))
    return { accepted: false }
  }
}

/** Files have the line ends of their editor and perhaps a byte order mark; on the wire a segment ends with CR. */
function wired(bytes: Buffer): Buffer {
  if (bytes.includes(0)) return bytes
  const text = bytes.toString('latin1').replace(/^\xef\xbb\xbf/, '')
  return Buffer.from(`${text.replaceAll(/\r*\n/g, '\r').replace(/\r+$/, '')}\r`, 'latin1')
}

function lineOf(message: Message, { answer, code, took, tries, trouble }: Sent): string {
  const { said } = texts(process.env)
  const what = [code || '--', `${message.type}^${message.trigger}`, message.controlId, `${took.toFixed(1)} ms`]
  const errors = answer?.segments.filter(one => one.name === 'ERR').map(one => one.field(8).value()) ?? []
  const why = [trouble ?? '', answer?.segment('MSA')?.field(3).value() ?? '', ...errors].find(text => text !== '')
  return oneLine(
    [...what, ...(why === undefined ? [] : [why]), ...(tries > 1 ? [said.hl7Tries(tries)] : [])].join('  '),
  )
}

function destination(values: { to: string; tries: string; ca?: string; cert?: string; key?: string }): SenderOptions {
  const { said } = texts(process.env)
  const [, scheme, host, port] = /^(mllps?):\/\/(\[[0-9A-Fa-f:.]+\]|[^\s/:]+)(?::(\d{1,5}))?\/?$/.exec(values.to) ?? []
  if (scheme === undefined || host === undefined) throw new Usage(said.hl7Address(values.to))
  if (!/^[1-9]\d{0,5}$/.test(values.tries)) throw new Usage(said.hl7TriesWrong(values.tries))
  const { ca, cert, key } = values
  if (scheme === 'mllp' && (ca ?? cert ?? key) !== undefined) throw new Usage(said.hl7Tls)
  const tls = {
    ...(ca !== undefined && { ca: readFileSync(ca) }),
    ...(cert !== undefined && { cert: readFileSync(cert) }),
    ...(key !== undefined && { key: readFileSync(key) }),
  }
  return {
    host: host.replace(/^\[|\]$/g, ''),
    port: Number(port ?? standardPort),
    tls: scheme === 'mllps' ? tls : undefined,
    timeout: 10_000,
    tries: Number(values.tries),
  }
}

async function aside(args: readonly string[]): Promise<number> {
  const { values } = readArguments(args, {
    config: { type: 'string', default: usualConfig },
    json: { type: 'boolean' },
  })
  const [{ checked }, { gatewayShape }, { listAside }, { asideFolder, hl7: kind }] = await Promise.all([
    import('./check.ts'),
    import('./daemons.ts'),
    import('../gateway/hl7/aside.ts'),
    import('../gateway/sources/hl7.ts'),
  ])
  const { config } = await checked(values.config, 'gateway')
  const { sources, state } = config.check(await gatewayShape())
  const kept = sources
    .filter(source => source.type === kind.name)
    .flatMap(({ name }) => listAside(join(state, 'sources', name, asideFolder)).map(one => ({ source: name, ...one })))
  print(values.json ? JSON.stringify(kept) : asText(kept))
  return status.ok
}

function asText(kept: readonly (KeptAside & { readonly source: string })[]): string {
  const { said } = texts(process.env)
  if (kept.length === 0) return said.hl7NothingAside
  const rows = kept.map(one => [
    new Date(one.time).toISOString(),
    one.source,
    one.peer,
    one.kind,
    oneLine(one.reason),
    one.file,
  ])
  return table(rows)
}
