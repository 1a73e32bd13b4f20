import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { memoryKeep } from '../../../agent/keep.ts'
import { realHost } from '../../../core/host.ts'
import { policies } from '../../../gateway/opcua/options.ts'
import { simulator } from '../../../gateway/opcua/simulator.ts'
import { checkTrust } from '../../../gateway/opcua/trust.ts'
import { opcua } from '../../../gateway/sources/opcua.ts'
import { peer } from '../../peers.ts'
import { eventOf, folder, follow, line, optionsOf, quick, valuesOf } from './following.ts'

// A server takes its time to start, and more on a busy machine.
t.setTimeout(120_000)
const sim = await simulator()
t.teardown(() => sim.close())
const nodes = [line('Valve.Position')]
const trusting = { folder: folder(t), trust_first: true }

/** One reading with these options. */
async function read(raw: Readonly<Record<string, unknown>>): Promise<number | undefined> {
  const options = optionsOf({ ...quick, url: sim.url, nodes, security: trusting, ...raw })
  const running = opcua.open(options, { name: 'plc', host: realHost(), say: () => {}, keep: memoryKeep() })
  const { samples } = await running.once!(AbortSignal.timeout(60_000))
  return samples[0]?.value
}

function secret(text: string): string {
  const file = join(trusting.folder, `secret-${text.length}`)
  writeFileSync(file, text)
  return file
}

t.test('it speaks every policy, signed or encrypted, and in clear only where the configuration says so', async t => {
  for (const policy of policies) t.equal(await read({ security: { ...trusting, policy } }), 50, policy)
  t.equal(await read({ security: { ...trusting, mode: 'Sign' } }), 50)
  t.equal(await read({ security: { ...trusting, mode: 'None' } }), 50)
})

t.test('a server that does not offer what is asked for is not spoken to', async t => {
  const weak = sim.server.endpoints[0]!.endpointDescriptions()
  const before = weak.map(e => e.securityPolicyUri)
  for (const e of weak) if (e.securityPolicyUri?.endsWith('Basic256Sha256')) e.securityPolicyUri = 'http://x#Basic256'
  await t.rejects(read({}), { message: /does not offer SignAndEncrypt Basic256Sha256; it offers .*Basic256/ })
  for (const [n, e] of weak.entries()) e.securityPolicyUri = before[n]!
})

t.test('an unknown server is refused and put aside; who moves its certificate over trusts it', async t => {
  const own = folder(t)
  const at = follow(t, { ...quick, url: sim.url, nodes, security: { folder: own } })
  const down = await at.until('the refusal', now => eventOf(now, 'opcua.connection.down'))
  t.match(down.body, { reason: /is not trusted; to trust it: mv '.*rejected\/.*\.der' '.*trusted\/'$/ })
  const [rejected] = readdirSync(join(own, 'rejected'))
  t.ok(rejected)
  renameSync(join(own, 'rejected', rejected!), join(own, 'trusted', rejected!))
  await at.until('a value', now => valuesOf(now, 'valve.position').length > 0)
})

t.test('the first certificate is trusted where that is configured, and a second one is not', async t => {
  const own = folder(t)
  const first = { folder: own, trust_first: true }
  t.equal(await read({ security: first }), 50)
  const [name] = readdirSync(join(own, 'trusted'))
  writeFileSync(join(own, 'trusted', name!), readFileSync(join(trusting.folder, 'own', 'certificate.pem')))
  await t.rejects(read({ security: first }), { message: /is not trusted/ })
})

t.test('its own certificate is made once, with a key that nobody else reads', async t => {
  const own = join(trusting.folder, 'own')
  const before = readFileSync(join(own, 'certificate.pem'), 'utf8')
  await read({})
  t.equal(readFileSync(join(own, 'certificate.pem'), 'utf8'), before)
  const { mode } = statSync(join(own, 'key.pem'))
  t.equal(mode & 0o777, 0o600)
})

t.test('a name and a password', async t => {
  t.equal(await read({ user: { name: 'operator', password_file: secret('simulated\n') } }), 50)
  await t.rejects(read({ user: { name: 'operator', password_file: secret('wrong') } }), {
    message: /BadUserAccessDenied|BadIdentityTokenRejected/,
  })
  await t.rejects(read({ user: { name: 'operator', password_file: '/nowhere' } }), {
    message: /cannot read password_file/,
  })
})

t.test('a certificate of the user', async t => {
  const [certificate, key] = [join(trusting.folder, 'own/certificate.pem'), join(trusting.folder, 'own/key.pem')]
  t.equal(await read({ user: { certificate, key } }), 50)
})

t.test('a server whose certificate an authority has issued for its host', async t => {
  const openssl = peer(t, 'openssl')
  if (openssl === undefined) return
  const at = folder(t)
  const run = (line: string) => execFileSync(openssl, line.split(' '), { cwd: at, stdio: 'ignore', env: {} })
  const ca = folder(t)
  mkdirSync(join(ca, 'trusted'), { recursive: true })
  run('req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=Plant')
  writeFileSync(join(ca, 'trusted', 'plant.pem'), readFileSync(join(at, 'ca.pem')))
  const issued = (name: string, san: string): Buffer => {
    run(`req -newkey rsa:2048 -nodes -keyout ${name}.key -out ${name}.csr -subj /CN=${name}`)
    writeFileSync(join(at, 'san.cnf'), `subjectAltName=${san}`)
    const signing = '-CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -extfile san.cnf'
    run(`x509 -req -in ${name}.csr ${signing} -out ${name}.der -outform DER`)
    return readFileSync(join(at, `${name}.der`))
  }
  const plc = issued('plc', 'IP:192.0.2.7,DNS:plc.example')
  checkTrust({ folder: ca, first: false }, [plc], '192.0.2.7', '4840')
  checkTrust({ folder: ca, first: false }, [plc], 'plc.example', '4840')
  t.throws(
    () => checkTrust({ folder: ca, first: false }, [plc], 'other.example', '4840'),
    /was not issued for other\.example/,
  )
  t.throws(() => checkTrust({ folder: at, first: false }, [plc], 'plc.example', '4840'), /is not trusted/)
  t.throws(() => checkTrust({ folder: ca, first: false }, [Buffer.from('none')], 'x', '1'), /cannot be read/)
  t.throws(() => checkTrust({ folder: ca, first: false }, [], 'x', '1'), /shows no certificate/)
  for (const kind of ['rsa-pss', 'ec -pkeyopt ec_paramgen_curve:P-256']) {
    run(`req -x509 -newkey ${kind} -nodes -keyout odd.key -out odd.der -outform DER -days 2 -subj /CN=Odd`)
    const odd = readFileSync(join(at, 'odd.der'))
    t.throws(() => checkTrust({ folder: ca, first: true }, [odd], 'x', '1'), /is no RSA key/, kind)
  }
})
