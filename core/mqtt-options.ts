// How to reach MQTT brokers: what a configuration may say, and the socket that follows from it.

import { readFileSync } from 'node:fs'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { nodeName, secretFile, secretPath } from './config-shapes.ts'
import { Refused } from './errors.ts'
import { absolutePath, list, matching, object, optional, type Place, refined, type Shape, text } from './shape.ts'

export interface BrokerOptions {
  /** `mqtt://host:port` or `mqtts://host:port`, tried in turn. */
  readonly brokers: readonly string[]
  readonly username: string | undefined
  readonly password_file: string | undefined
  /** PEM files; without `ca` the system's authorities are trusted. */
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}

export interface MqttOptions extends BrokerOptions {
  readonly tenant: string
}

const broker = matching(
  /^mqtts?:\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?\/?$/,
  'a broker such as mqtts://broker.example:8883, without user and password',
)

/** The keys of BrokerOptions, for whoever has others beside them. */
export const brokerFields = {
  brokers: list(broker, 16),
  username: optional(text),
  password_file: optional(secretFile),
  ca: optional(absolutePath),
  cert: optional(absolutePath),
  key: optional(secretFile),
}

/** The rules across them. */
export function checkBrokers(value: BrokerOptions, place: Place): void {
  if (value.brokers.length === 0) place.at('brokers').wrong('name at least one broker')
  checkCertificate(value, place)
}

export function checkCertificate({ cert, key }: Pick<BrokerOptions, 'cert' | 'key'>, place: Place): void {
  if ((cert === undefined) !== (key === undefined)) place.wrong('cert and key belong together')
}

export const mqttOptions: Shape<MqttOptions> = refined(
  object({ ...brokerFields, tenant: optional(nodeName, 'default') }),
  checkBrokers,
)

/**
 * A socket on its way to the broker; certificates are read anew each time, so that renewed ones come into use.
 * TLS loads with the first `mqtts:`: it takes 4 MB of RSS.
 */
export function openSocket(broker: string, options: BrokerOptions): Socket {
  const url = new URL(broker)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const secure = url.protocol === 'mqtts:'
  const port = Number(url.port || (secure ? 8883 : 1883))
  if (!secure) return connectTcp({ host, port, noDelay: true })
  const tls = process.getBuiltinModule('node:tls')
  const socket = tls.connect({
    host,
    port,
    minVersion: 'TLSv1.3',
    ...(isIP(host) === 0 && { servername: host }),
    ...(options.ca !== undefined && { ca: readSecret('ca', options.ca) }),
    ...(options.cert !== undefined && { cert: readSecret('cert', options.cert) }),
    ...(options.key !== undefined && { key: readSecret('key', options.key) }),
  })
  return socket.setNoDelay(true)
}

/** What the broker asks for besides certificates. */
export function credentials(options: BrokerOptions): { username?: string; password?: string } {
  const { username, password_file } = options
  return {
    ...(username !== undefined && { username }),
    ...(password_file !== undefined && {
      password: readSecret('password_file', password_file)
        .toString('utf8')
        .replace(/\r?\n$/, ''),
    }),
  }
}

function readSecret(key: string, file: string): Buffer {
  try {
    return readFileSync(secretPath(file))
  } catch (cause) {
    throw new Refused(`cannot read ${key} ${file}`, { cause })
  }
}
