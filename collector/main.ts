// Wires a collector: MQTT and OTLP/HTTP -> intake -> history, records and judging; beside them the page and the API.

import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type FastifyInstance, fastify } from 'fastify'
import type { Started } from '../core/daemon.ts'
import type { Say } from '../core/log.ts'
import type { Finding } from '../core/model.ts'
import type { MqttOptions } from '../core/mqtt-options.ts'
import { splitAddress, vitalsText } from '../core/vitals.ts'
import { detectors } from '../judge/index.ts'
import { registerApi, routerOptions } from './api/server.ts'
import { registerPage } from './api/static.ts'
import { openBroker } from './broker.ts'
import type { CollectorConfig } from './config.ts'
import { diskSchema } from './disks/disk-table.ts'
import { Disks } from './disks/disks.ts'
import { diskModel } from './disks/model.ts'
import { housekeeping } from './housekeeping.ts'
import { Incidents } from './incidents.ts'
import type { Open } from './ingest/inbox-salvage.ts'
import { Intake } from './ingest/intake.ts'
import { type MqttIngest, openMqttIngest } from './ingest/mqtt.ts'
import { registerOtlp } from './ingest/otlp.ts'
import { Judging } from './judging.ts'
import { checkpointSchema } from './judging-checkpoints.ts'
import { Meter } from './meter.ts'
import { reviving } from './revive.ts'
import { type History, openHistory } from './store/history.ts'
import { type RecordChange, Records, recordSchemas } from './store/records.ts'
import { CollectorView } from './view.ts'
import { collectorVitals, Refusals } from './vitals.ts'

export interface RunningCollector extends Started {
  /** Of the page. */
  readonly url: string
  /** Of the embedded broker, if there is one. */
  readonly broker: string | undefined
  readonly history: History
  readonly view: CollectorView
}

/** What tests put in place of the machine. */
export interface Seams {
  now(): number
  /** How the inbox opens its database. */
  readonly open?: Open
}

export function start(config: CollectorConfig, say: Say): Promise<RunningCollector> {
  return startCollector(config, say, { now: Date.now })
}

/** The running collector's history and view are those of now: damage to the file has them opened anew. */
export async function startCollector(config: CollectorConfig, say: Say, seams: Seams): Promise<RunningCollector> {
  let places = config
  const start = async (ask: () => void): Promise<RunningCollector> => {
    const parts = await assemble(places, say, seams, ask)
    places = settled(config, parts)
    return parts
  }
  const revived = await reviving(start, say)
  const { url, broker } = revived.current
  return {
    url,
    broker,
    get history() {
      return revived.current.history
    },
    get view() {
      return revived.current.view
    },
    stop: revived.stop,
  }
}

/** Free ports that were chosen stay chosen. */
function settled(config: CollectorConfig, { url, broker }: RunningCollector): CollectorConfig {
  const listen = new URL(url).host
  return broker === undefined ? { ...config, listen } : { ...config, listen, broker: { listen: new URL(broker).host } }
}

/** Ends what it has begun where it cannot go on. */
async function assemble(config: CollectorConfig, say: Say, seams: Seams, ask: () => void): Promise<RunningCollector> {
  const parts = new AsyncDisposableStack()
  try {
    return await open(config, say, seams, ask, parts)
  } catch (error) {
    await parts.disposeAsync()
    throw error
  }
}

async function open(
  config: CollectorConfig,
  say: Say,
  seams: Seams,
  ask: () => void,
  parts: AsyncDisposableStack,
): Promise<RunningCollector> {
  const { now } = seams
  mkdirSync(config.state, { recursive: true })
  const others = [...recordSchemas, checkpointSchema, diskSchema]
  const history = parts.adopt(openHistory({ folder: config.state, others, say, now, onDamage: ask }), h => h.close())
  const records = new Records({ db: history.db, file: history, changed: change => changed(change) })
  const meter = new Meter()
  const offline = new Set<string>()
  const marked = (finding: Finding): void => view.changed({ kind: 'finding', finding })
  const incidents = new Incidents({ records, mutes: config.mutes, marked })
  const changed = (change: RecordChange): void => {
    if (change.kind === 'finding') incidents.take(change.finding)
    view.changed(change)
  }
  const judging = new Judging({ rules: config.detectors, detectors, history, records, say })
  const disks = new Disks({ model: await diskModel(), history, records, judging })
  const view = new CollectorView({ history, records, disks, incidents, meter, offline, now })
  const intake = await Intake.open({
    folder: config.state,
    history,
    records,
    judging,
    disks,
    limits: config.limits,
    retention_age: config.retention.age,
    say,
    ...seams,
    committed: rows => {
      for (const { node, samples, firstTime, received } of rows) meter.committed(node, samples, firstTime, received)
    },
  })
  parts.defer(() => intake.close())
  const refusals = new Refusals()
  const broker = config.broker && (await openBroker(splitAddress(config.broker.listen)))
  parts.defer(() => broker?.close())
  const mqtt = openMqtt(config.mqtt ?? (broker && embedded(broker.url)), intake, offline, refusals, say)
  parts.defer(() => mqtt?.close())
  const vitals = collectorVitals({ history, records, intake, meter, refusals, view })
  const app = parts.adopt(await serve(config.listen, intake, view, refusals, vitals, say), a => a.close())
  const house = housekeeping({ history, judging, incidents, intake, view, mqtt, retention: config.retention, say, now })
  parts.defer(() => house.close())
  const stop = (): Promise<void> => parts.disposeAsync()
  return { url: `http://${addressOf(app)}/`, broker: broker?.url, history, view, stop }
}

/** How the collector reaches the broker inside itself. */
function embedded(url: string): MqttOptions {
  const none = { username: undefined, password_file: undefined, ca: undefined, cert: undefined, key: undefined }
  return { brokers: [url], tenant: 'default', ...none }
}

function openMqtt(
  mqtt: MqttOptions | undefined,
  intake: Intake,
  offline: Set<string>,
  refusals: Refusals,
  say: Say,
): MqttIngest | undefined {
  if (mqtt === undefined) return undefined
  return openMqttIngest({
    mqtt,
    accept: intake.offer,
    count: why => refusals.count('mqtt', why),
    onStatus: (node, online) => (online ? offline.delete(node) : offline.add(node)),
    say,
  })
}

async function serve(
  listen: string,
  intake: Intake,
  view: CollectorView,
  refusals: Refusals,
  vitals: Parameters<typeof vitalsText>[0],
  say: Say,
): Promise<FastifyInstance> {
  const app = fastify({ logger: false, forceCloseConnections: true, routerOptions })
  const text = vitalsText(vitals)
  registerOtlp(app, {
    accept: intake.offer,
    take: parcel => intake.take(parcel),
    count: why => refusals.count('otlp', why),
  })
  registerApi(app, view)
  app.get('/metrics', async (_, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(await text()))
  const page = pageFolder()
  if (page === undefined) say('warning', 'the page is not built, only the API is served: npm run build makes it')
  else registerPage(app, page)
  try {
    await app.listen(splitAddress(listen))
  } catch (error) {
    await app.close()
    throw error
  }
  return app
}

/** Beside the bundle, or where a build from source puts it. */
function pageFolder(): string | undefined {
  const places = ['./web/', '../dist/web/'].map(to => fileURLToPath(new URL(to, import.meta.url)))
  return places.find(place => existsSync(join(place, 'app.js')))
}

function addressOf(app: FastifyInstance): string {
  const at = app.server.address()
  if (at === null || typeof at === 'string') throw new Error('collector: no address to listen on')
  return at.family === 'IPv6' ? `[${at.address}]:${at.port}` : `${at.address}:${at.port}`
}
