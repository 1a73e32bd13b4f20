// The listener's certificates, from files. Files that were renewed come into use by themselves, for new connections; those
// that cannot be read, or do not belong together, leave what was there before.

import { readFileSync } from 'node:fs'
import type { Server } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import { secretPath } from '../../core/config-shapes.ts'
import { reason } from '../../core/errors.ts'

export interface TlsFiles {
  readonly cert: string
  readonly key: string
  /** Its clients must show a certificate of this authority. */
  readonly ca: string | undefined
}

export interface SecureServer {
  readonly server: Server
  /** Takes the files into use if they changed; what is wrong with them, if anything. */
  renew(): string | undefined
}

/** How long a handshake may take, ms. */
const handshake = 10_000

/** TLS loads where it is configured. @throws what is wrong with the files. */
export function secureServer(files: TlsFiles): SecureServer {
  let used = contextOf(files)
  const clients = files.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: true }
  const server = process.getBuiltinModule('node:tls').createServer({ ...used, ...clients, handshakeTimeout: handshake })
  const renew = (): string | undefined => {
    try {
      const found = contextOf(files)
      if (isSame(found, used)) return undefined
      server.setSecureContext(found)
      used = found
      return undefined
    } catch (error) {
      return reason(error)
    }
  }
  return { server, renew }
}

type Context = SecureContextOptions & Readonly<Record<'cert' | 'key', Buffer>> & { readonly ca?: Buffer }

function contextOf({ cert, key, ca }: TlsFiles): Context {
  const authority = ca === undefined ? {} : { ca: readPem('ca', ca) }
  return { cert: readPem('cert', cert), key: readPem('key', key), ...authority, minVersion: 'TLSv1.2' }
}

function readPem(what: string, file: string): Buffer {
  try {
    return readFileSync(secretPath(file))
  } catch (cause) {
    throw new Error(`cannot read tls.${what}`, { cause })
  }
}

function isSame(a: Context, b: Context): boolean {
  return a.cert.equals(b.cert) && a.key.equals(b.key) && (a.ca?.equals(b.ca!) ?? true)
}
