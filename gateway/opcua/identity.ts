// The gateway's own certificate and private key: given by the configuration, or made at the first start. Servers must be
// told to trust it once, so it is made once and kept.

import { createPrivateKey, generateKeyPair, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { secretPath } from '../../core/config-shapes.ts'
import { Refused } from '../../core/errors.ts'
import type { Library } from './library.ts'

/** As the library takes it. */
export type KeyPair = NonNullable<
  NonNullable<Parameters<Library['OPCUAClient']['create']>[0]>['certificateKeyPairProvider']
>

/** OPC 10000-7 asks for 2048 to 4096 bits with each of the policies that are offered here. */
const keyBits = 2048
const validDays = 7300

export interface Keys extends KeyPair {
  readonly pem: string
}

export async function ownKeyPair(library: Library, folder: string): Promise<Keys> {
  const files = { certificate: join(folder, 'own', 'certificate.pem'), key: join(folder, 'own', 'key.pem') }
  if (!existsSync(files.certificate) || !existsSync(files.key)) await make(library, files)
  return readKeyPair(library, files.certificate, files.key)
}

/** @throws Refused when a file cannot be read, or is no certificate or key, or the two do not belong together. */
export function readKeyPair(library: Library, certificateFile: string, keyFile: string): Keys {
  const certificate = read('certificate', certificateFile, bytes => new X509Certificate(bytes))
  const secret = read('key', secretPath(keyFile), bytes => createPrivateKey(bytes))
  if (!certificate.checkPrivateKey(secret))
    throw new Refused(`key ${keyFile} does not belong to certificate ${certificateFile}`)
  const pem = secret.export({ type: 'pkcs8', format: 'pem' }).toString()
  const key = library.crypto_utils.makePrivateKeyFromPem(pem)
  return {
    pem,
    getCertificate: () => certificate.raw,
    getCertificateChain: () => [certificate.raw],
    getPrivateKey: () => key,
  }
}

function read<T>(what: string, file: string, parse: (bytes: Buffer) => T): T {
  try {
    return parse(readFileSync(file))
  } catch (cause) {
    throw new Refused(`cannot read ${what} ${file}`, { cause })
  }
}

async function make(library: Library, files: { certificate: string; key: string }): Promise<void> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: keyBits })
  const host = hostname()
  const { cert } = await library.crypto_utils.createSelfSignedCertificate({
    privateKey: await webKey(privateKey.export({ type: 'pkcs8', format: 'der' })),
    subject: `CN=Fieldline gateway on ${host}`,
    // OPC 10000-6, 6.2.2: the application's URI and the host stand in the certificate.
    applicationUri: `urn:${host}:fieldline:gateway`,
    dns: [host],
    notBefore: new Date(Date.now() - 86_400_000),
    validity: validDays,
    purpose: library.crypto_utils.CertificatePurpose.ForApplication,
  })
  write(files.key, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600)
  write(files.certificate, cert, 0o644)
}

function webKey(pkcs8: Buffer): Promise<CryptoKey> {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  return crypto.subtle.importKey('pkcs8', new Uint8Array(pkcs8), algorithm, true, ['sign'])
}

function write(file: string, content: string | Buffer, mode: number): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(`${file}.new`, content, { mode, flush: true })
    renameSync(`${file}.new`, file)
  } catch (cause) {
    throw new Refused(`cannot keep the gateway's own certificate as ${file}`, { cause })
  }
}
