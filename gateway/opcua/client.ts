// Opens the library's client: asks the server which endpoints it has, takes the one the configuration wants and no other,
// and only when its certificate is trusted begins to speak.

import { readFileSync } from 'node:fs'
import type { EndpointDescription, OPCUAClient, UserIdentityInfo } from 'node-opcua-client'
import { secretPath } from '../../core/config-shapes.ts'
import { Refused, reason } from '../../core/errors.ts'
import { type KeyPair, ownKeyPair, readKeyPair } from './identity.ts'
import { type Library, library as load } from './library.ts'
import type { OpcUaOptions } from './options.ts'
import { within } from './patience.ts'
import type { SessionOptions } from './session.ts'
import { checkTrust } from './trust.ts'

export interface Client {
  readonly library: Library
  readonly client: OPCUAClient
  readonly user: UserIdentityInfo
}

const chunk = 65_536
/** ms */
const leastSession = 30_000

export async function openClient(options: SessionOptions, folder: string, signal: AbortSignal): Promise<Client> {
  const library = await load()
  const { security, user } = options
  const keys =
    security.certificate === undefined
      ? await ownKeyPair(library, folder)
      : readKeyPair(library, security.certificate, security.key!)
  const who = identity(library, user)
  if (security.mode === 'None') {
    const client = create(library, options, keys, { mode: 'None', policy: 'None' })
    await dial(client, options, signal)
    return { library, client, user: who }
  }
  const endpoint = await discover(library, options, keys, signal)
  const chain = library.crypto_utils.split_der(endpoint.serverCertificate)
  const { hostname, port } = new URL(options.url)
  checkTrust({ folder, first: security.trust_first }, chain, hostname.replace(/^\[|\]$/g, ''), port || '4840')
  const client = create(library, options, keys, { ...security, serverCertificate: chain })
  await dial(client, options, signal)
  return { library, client, user: who }
}

/** GetEndpoints is the one service that is spoken in clear (OPC 10000-4, 5.5.4); what it says is checked by the handshake. */
async function discover(
  library: Library,
  options: SessionOptions,
  keys: KeyPair,
  signal: AbortSignal,
): Promise<EndpointDescription> {
  const { url, timeout, security } = options
  const client = create(library, options, keys, { mode: 'None', policy: 'None' })
  try {
    await dial(client, options, signal)
    const all = await within(timeout, `asking ${url} for its endpoints`, client.getEndpoints(), signal)
    const mode = library.MessageSecurityMode[security.mode]
    const policy = library.SecurityPolicy[security.policy]
    const fits = all.find(e => e.securityMode === mode && e.securityPolicyUri === policy)
    if (fits !== undefined) return fits
    const offered = all.map(e => `${library.MessageSecurityMode[e.securityMode]} ${e.securityPolicyUri?.split('#')[1]}`)
    throw new Refused(
      `${url} does not offer ${security.mode} ${security.policy}; it offers ${[...new Set(offered)].join(', ') || 'nothing'}`,
    )
  } finally {
    await within(timeout, 'leaving', client.disconnect()).catch(() => {})
  }
}

async function dial(client: OPCUAClient, { url, timeout }: SessionOptions, signal: AbortSignal): Promise<void> {
  try {
    await within(2 * timeout, 'the handshake', client.connect(url), signal)
  } catch (error) {
    await within(timeout, 'leaving', client.disconnect()).catch(() => {})
    throw signal.aborted ? error : new Error(`connecting to ${url}: ${plain(reason(error))}`)
  }
}

interface Channel {
  readonly mode: string
  readonly policy: string
  readonly serverCertificate?: Buffer[]
}

function create(
  library: Library,
  { timeout, keep_alive, limits }: SessionOptions,
  certificateKeyPairProvider: KeyPair,
  { mode, policy, serverCertificate }: Channel,
): OPCUAClient {
  const transactions = library.ClientSecureChannelLayer
  transactions.minTransactionTimeout = Math.min(transactions.minTransactionTimeout, timeout)
  return library.OPCUAClient.create({
    applicationName: 'Fieldline gateway',
    clientName: 'Fieldline gateway',
    securityMode: mode,
    securityPolicy: policy,
    ...(serverCertificate && { serverCertificate }),
    certificateKeyPairProvider,
    clientCertificateManager: judged(library),
    transportFactory: library.transportFactory,
    endpointMustExist: false,
    keepSessionAlive: false,
    keepPendingSessionsOnDisconnect: true,
    // Servers have few; what a lost connection leaves behind is to end soon. Subscriptions outlive their session.
    requestedSessionTimeout: Math.max(leastSession, 3 * (keep_alive + timeout)),
    connectionStrategy: { maxRetry: 0, initialDelay: 100, maxDelay: 100 },
    transportTimeout: 2 * (timeout + keep_alive),
    // Ours come first, and say what was asked.
    defaultTransactionTimeout: 2 * timeout,
    transportSettings: {
      maxMessageSize: limits.message,
      maxChunkCount: Math.ceil(limits.message / 8192),
      receiveBufferSize: chunk,
      sendBufferSize: chunk,
    },
  })
}

/** The library asks a store about certificates that trust.ts has judged already. */
function judged({ StatusCodes }: Library) {
  const nothing = async (): Promise<void> => {}
  return {
    referenceCounter: 0,
    initialize: nothing,
    dispose: nothing,
    checkCertificate: async () => StatusCodes.Good,
    verifyCertificate: async () => 'Good',
    trustCertificate: nothing,
    rejectCertificate: nothing,
    getTrustStatus: async () => StatusCodes.Good,
    addIssuer: nothing,
    addRevocationList: nothing,
  }
}

function identity(library: Library, user: OpcUaOptions['user']): UserIdentityInfo {
  const { UserTokenType } = library
  if (user === undefined) return { type: UserTokenType.Anonymous }
  if (user.name !== undefined) {
    const password = secret(user.password_file!).replace(/\r?\n$/, '')
    return { type: UserTokenType.UserName, userName: user.name, password }
  }
  const keys = readKeyPair(library, user.certificate!, user.key!)
  return { type: UserTokenType.Certificate, certificateData: keys.getCertificate(), privateKey: keys.pem }
}

function secret(file: string): string {
  try {
    return readFileSync(secretPath(file), 'utf8')
  } catch (cause) {
    throw new Refused(`cannot read password_file ${file}`, { cause })
  }
}

/** The library wraps what happened in advice over several lines. */
function plain(text: string): string {
  const inner = /Err = \((.*?)\)?\s*$/s.exec(text)?.[1] ?? text
  return inner.replace(/\s+/g, ' ').trim()
}
