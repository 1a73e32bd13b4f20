// A simulated OPC UA server on `node-opcua`, a package for development only: for tests, scenes and benches. It keeps its own
// certificates, listens on loopback, needs no network, and can be restarted, cut off, set wrong and robbed of nodes.
// Started as a program it prints its address and lives until it is told to stop.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AddressSpace,
  nodesetSourceFromStream,
  nodesets,
  OPCUACertificateManager,
  OPCUAServer,
  type UAVariable,
} from 'node-opcua'
import { buildLine, type Line, type LineMemory, type LineVariable, record } from './simulated-line.ts'
import { lineTypes } from './simulated-types.ts'

export interface SimulatorOptions {
  /** Where its certificates lie; a folder of its own, removed on `close`, where absent. */
  readonly folder?: string
  /** A free one where absent. */
  readonly port?: number
  /** Whether its values change by themselves. */
  readonly moves?: boolean
  /** Namespaces that come before the line's own. */
  readonly namespaces?: readonly string[]
}

export interface Simulator {
  readonly url: string
  readonly server: OPCUAServer
  /** How far the clock of its devices is ahead, ms: source timestamps are that wrong. */
  ahead: number
  /** How far its own clock is ahead, ms. */
  clockAhead: number
  set(name: LineVariable, value: unknown, at?: Date): void
  value(name: LineVariable): unknown
  /** A bad value, which has none. */
  spoil(name: LineVariable): void
  remove(name: LineVariable): void
  add(name: LineVariable): void
  /** Nobody reaches it, and it forgets no session. */
  cut(): Promise<void>
  mend(): Promise<void>
  stop(): Promise<void>
  /** At the same address, with the same certificate, without its sessions. */
  restart(namespaces?: readonly string[]): Promise<void>
  close(): Promise<void>
}

const step = 250

export async function simulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'fieldline-opcua-'))
  const memory: LineMemory = { values: new Map(), history: new Map() }
  const own = { ahead: 0, clockAhead: 0 }
  const now = (): Date => new Date(Date.now() + own.ahead)
  const clock = (): Date => new Date(Date.now() + own.clockAhead)
  let { server, line } = await start(folder, options.port ?? 0, options.namespaces ?? [], memory, now, clock)
  let isUp = true
  const port = server.endpoints[0]!.port
  const moving = options.moves ? setInterval(() => move(line, now()), step) : undefined

  const stop = async (): Promise<void> => {
    if (isUp) await server.shutdown(0)
    isUp = false
  }
  const restart = async (namespaces = options.namespaces ?? []): Promise<void> => {
    await stop()
    ;({ server, line } = await start(folder, port, namespaces, memory, now, clock))
    isUp = true
  }
  return Object.assign(own, {
    url: `opc.tcp://127.0.0.1:${port}`,
    get server() {
      return server
    },
    set: (name: LineVariable, value: unknown, at = now()) =>
      isUp ? line.set(name, value, at) : record(memory, name, value, at),
    value: (name: LineVariable) => line.value(name),
    spoil: (name: LineVariable) => line.set(name, memory.values.get(name), now(), 'BadSensorFailure'),
    remove: (name: LineVariable) => line.remove(name),
    add: (name: LineVariable) => line.add(name),
    cut: async () => {
      const suspended = server.suspendEndPoints()
      for (const endpoint of server.endpoints) endpoint.abruptlyInterruptChannels()
      await suspended
    },
    mend: () => server.resumeEndPoints(),
    stop,
    restart,
    close: async () => {
      clearInterval(moving)
      await stop()
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true })
    },
  })
}

async function start(
  folder: string,
  port: number,
  namespaces: readonly string[],
  memory: LineMemory,
  now: () => Date,
  clock: () => Date,
): Promise<{ server: OPCUAServer; line: Line }> {
  const certificates = new OPCUACertificateManager({
    rootFolder: folder,
    automaticallyAcceptUnknownCertificate: true,
    disableFileWatchers: true,
  })
  const server = new OPCUAServer({
    host: '127.0.0.1',
    hostname: '127.0.0.1',
    port,
    serverCertificateManager: certificates,
    userCertificateManager: certificates,
    nodesets: [
      nodesets.standard,
      nodesetSourceFromStream('line types', async function* () {
        yield lineTypes
      }),
    ],
    // Every change is told where a client asks for that, and not those of 50 ms as one.
    serverCapabilities: { minSupportedSampleRate: 0 },
    buildInfo: { productName: 'Fieldline simulated line' },
    userManager: { isValidUser: (name: string, password: string) => name === 'operator' && password === 'simulated' },
  })
  await server.initialize()
  const space = server.engine.addressSpace!
  space.installAlarmsAndConditionsService()
  for (const uri of namespaces) space.registerNamespace(uri)
  const line = buildLine(space, memory, now)
  setClock(space, clock)
  await server.start()
  return { server, line }
}

/** Server_ServerStatus (OPC 10000-6, Annex A), of which CurrentTime tells the server's clock. */
function setClock(space: AddressSpace, now: () => Date): void {
  const status = space.findNode('i=2256') as UAVariable & { $extensionObject: object }
  status.$extensionObject = new Proxy(status.$extensionObject, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key)
      return key === 'currentTime' ? now() : value
    },
  })
}

/** The tank fills and empties in a minute; it overfills, and so alarms, once in five. */
function move(line: Line, time: Date): void {
  const seconds = time.getTime() / 1000
  const phase = (seconds / 60) % 5
  const swing = Math.sin(2 * Math.PI * phase)
  line.set('Tank.Level', 50 + (phase < 4 ? 30 : 42) * swing, time)
  line.set('Tank.Temperature', 21 + swing, time)
  line.set('Motor.Speed', 1480 - 20 * swing, time)
  line.set('Motor.Currents', [4.1 + swing / 10, 4.2 + swing / 10, 4 + swing / 10], time)
  line.set('Motor.Bottles', [0, Math.floor(seconds / 2) >>> 0], time)
}

if (import.meta.main) {
  const running = await simulator({ moves: true, port: Number(process.argv[2] ?? 0) })
  process.stdout.write(`${running.url}\n`)
  for (const name of ['SIGTERM', 'SIGINT'] as const)
    process.once(name, () => void running.close().then(() => process.exit(0)))
}
