// Values that more than one daemon's configuration has: names, addresses, folders, secrets.

import { hostname } from 'node:os'
import { join } from 'node:path'
import { isName } from './envelope.ts'
import { Refused } from './errors.ts'
import { matching, type Shape, shape } from './shape.ts'

/** The pattern of `isName`, core/envelope.ts. */
export const nodeName = matching(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  'a name of letters, digits, ".", "_" and "-", at most 64, beginning with a letter or digit',
)

/** This host's name, made a valid node name. */
export function defaultNode(name = hostname()): string {
  const cleaned = name
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64)
  return isName(cleaned) ? cleaned : 'node'
}

/** The folder systemd made for the unit (StateDirectory=, the first of several), else one below /var/lib. */
export function defaultState(daemon: string, env: NodeJS.ProcessEnv = process.env): string {
  return env.STATE_DIRECTORY?.split(':')[0] || `/var/lib/fieldline/${daemon}`
}

/** `host:port`; the host is always written, so that listening beyond loopback is never an accident. */
export const address = shape('an address such as 127.0.0.1:9464', raw => (isAddress(raw) ? raw : undefined))

export const loopbackAddress = shape('a loopback address such as 127.0.0.1:1883', raw =>
  isAddress(raw) && /^(127\.|localhost:|\[::1\]:)/.test(raw) ? raw : undefined,
)

function isAddress(raw: unknown): raw is string {
  const m = typeof raw === 'string' ? /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/.exec(raw) : null
  return m !== null && Number(m[1]) <= 65_535
}

/** An address, or undefined for `off`. */
export const addressOrOff: Shape<string | undefined> = {
  expects: `${address.expects}, or off`,
  read: (raw, place) => (raw === 'off' ? undefined : address.read(raw, place)),
}

/** A file that holds a secret: an absolute path, or the bare name of a systemd credential. */
export const secretFile = matching(
  /^(\/[^\0]*|[A-Za-z0-9._-]+)$/,
  'an absolute path such as /etc/fieldline/password, or the name of a systemd credential',
)

/** Where the secret of a `*_file` key lies; a bare name is a credential of the unit, systemd.exec(5). */
export function secretPath(file: string, env: NodeJS.ProcessEnv = process.env): string {
  if (file.startsWith('/')) return file
  const folder = env.CREDENTIALS_DIRECTORY
  if (folder === undefined) throw new Refused(`credential ${file}: this is not a systemd unit with LoadCredential=`)
  return join(folder, file)
}
