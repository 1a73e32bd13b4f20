// Which servers are trusted: `trusted/` holds certificates of servers and of authorities, `rejected/` what was met and is
// not trusted. Whoever moves a file from one to the other has decided. The folder is read anew for each connection.

import { createHash, X509Certificate } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { Refused } from '../../core/errors.ts'

export interface TrustOptions {
  readonly folder: string
  /** Whether the certificate that a server shows at its first connection is trusted from then on. */
  readonly first: boolean
}

const mostRejected = 100
const longestPath = 5
const leastBits = 2048

/**
 * Whether the certificate a server shows may be relied on: it lies in `trusted/`, or an authority that does has issued it
 * for this host. One that a person has put there by itself counts whatever its dates say. `chain` begins with the server's.
 * @throws Refused, saying where it was put aside and how it is trusted.
 */
export function checkTrust(
  { folder, first }: TrustOptions,
  chain: readonly Buffer[],
  host: string,
  port: string,
): void {
  const certificates = chain.slice(0, longestPath).map(der => parse(der, host))
  const [server, ...issuers] = certificates
  if (server === undefined) throw new Refused(`${host}:${port} shows no certificate`)
  const { asymmetricKeyType: type, asymmetricKeyDetails } = server.publicKey
  // With another kind of key the library fails where nobody catches it.
  if (type !== 'rsa') throw new Refused(`the key in the certificate of ${host}:${port} is no RSA key`)
  const bits = asymmetricKeyDetails?.modulusLength ?? 0
  if (bits < leastBits)
    throw new Refused(`the key in the certificate of ${host}:${port} has ${bits} bits, which is too weak`)
  const trusted = readAll(join(folder, 'trusted'))
  if (trusted.some(known => known.raw.equals(server.raw))) return
  const why = whyNotByAuthority(server, issuers, trusted, host)
  if (why === undefined) return
  if (first && trustFirst(folder, server, host, port)) return
  refuse(folder, server, host, port, why)
}

/** Undefined where an authority vouches for it; else why none does. */
function whyNotByAuthority(
  server: X509Certificate,
  sent: readonly X509Certificate[],
  trusted: readonly X509Certificate[],
  host: string,
): string | undefined {
  const now = Date.now()
  let at = server
  for (let n = 0; n < longestPath; n++) {
    if (now < at.validFromDate.getTime() || now > at.validToDate.getTime())
      return `is valid from ${at.validFrom} to ${at.validTo} only`
    const byTrusted = trusted.some(ca => issued(ca, at) && now <= ca.validToDate.getTime())
    if (byTrusted) return isFor(server, host) ? undefined : `was not issued for ${host}`
    const next = sent.find(ca => ca !== at && issued(ca, at))
    if (next === undefined) break
    at = next
  }
  return 'is not trusted'
}

function issued(ca: X509Certificate, by: X509Certificate): boolean {
  return ca.ca && by.checkIssued(ca) && by.verify(ca.publicKey)
}

function isFor(server: X509Certificate, host: string): boolean {
  return (isIP(host) === 0 ? server.checkHost(host) : server.checkIP(host)) !== undefined
}

/** Only where none was trusted for this address before: a certificate that changes later is for a person to judge. */
function trustFirst(folder: string, server: X509Certificate, host: string, port: string): boolean {
  const name = fileName(`first ${host} ${port}`)
  if (readdirSync(made(join(folder, 'trusted'))).includes(name)) return false
  keep(join(folder, 'trusted', name), server.raw)
  return true
}

function refuse(folder: string, server: X509Certificate, host: string, port: string, why: string): never {
  const name = fileName(`${commonName(server)} ${thumbprint(server)}`)
  const rejected = join(made(join(folder, 'rejected')), name)
  keep(rejected, server.raw)
  shed(join(folder, 'rejected'))
  throw new Refused(
    `the certificate "${commonName(server)}" of ${host}:${port} (SHA-1 ${thumbprint(server)}) ${why}; ` +
      `to trust it: mv '${rejected}' '${join(folder, 'trusted')}/'`,
  )
}

/** How other tools show a certificate. */
function thumbprint({ raw }: X509Certificate): string {
  return createHash('sha1').update(raw).digest('hex')
}

function commonName({ subject }: X509Certificate): string {
  return /^CN=(.*)$/m.exec(subject ?? '')?.[1] ?? 'without a name'
}

function fileName(text: string): string {
  return `${text.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 120)}.der`
}

function parse(der: Buffer, host: string): X509Certificate {
  try {
    return new X509Certificate(der)
  } catch (cause) {
    throw new Refused(`${host} shows a certificate that cannot be read`, { cause })
  }
}

/** What a person put there by mistake is no certificate, and no reason to refuse the others. */
function readAll(folder: string): readonly X509Certificate[] {
  return readdirSync(made(folder)).flatMap(name => {
    try {
      return [new X509Certificate(readFileSync(join(folder, name)))]
    } catch {
      return []
    }
  })
}

function made(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return folder
  } catch (cause) {
    throw new Refused(`cannot keep certificates in ${folder}`, { cause })
  }
}

function keep(file: string, der: Buffer): void {
  writeFileSync(`${file}.new`, der, { flush: true })
  renameSync(`${file}.new`, file)
}

/** Nobody fills the disk by showing ever new certificates. */
function shed(folder: string): void {
  const files = readdirSync(folder).map(name => join(folder, name))
  const byAge = files.map(file => ({ file, at: statSync(file).mtimeMs })).sort((a, b) => b.at - a.at)
  for (const { file } of byAge.slice(mostRejected)) rmSync(file, { force: true })
}
