import t from 'tap'
import { agentConfig } from '../../agent/config.ts'
import { type Environment, fromEnvironment, isConfigured } from '../../agent/environment.ts'
import { sources } from '../../agent/sources/index.ts'
import { uplinks } from '../../agent/uplinks/index.ts'

const known = { shape: agentConfig(sources, uplinks), sources, uplinks }
const read = (env: Environment) => fromEnvironment(env, known)
const mistakes = (env: Environment): readonly string[] => {
  try {
    read(env)
    return []
  } catch (error) {
    return (error as Error).message.split('\n')
  }
}

t.test('an environment says what a file would say', async t => {
  const { plain, config } = read({
    PATH: '/bin',
    FIELDLINE_NODE: 'web-0',
    FIELDLINE_SOURCES: 'cgroup, nic, disk-io',
    FIELDLINE_INTERVAL: '5s',
    FIELDLINE_NIC_INTERVAL: '1s',
    FIELDLINE_NIC_INCLUDE: 'eth*, ens?',
    FIELDLINE_CGROUP_MOST: '20',
    FIELDLINE_DISK_IO_EXCLUDE: 'loop*',
    FIELDLINE_MQTT_BROKERS: 'mqtts://a.example:8883,mqtts://b.example',
    FIELDLINE_MQTT_USERNAME: 'web',
    FIELDLINE_MQTT_PASSWORD_FILE: '/run/secrets/mqtt',
    FIELDLINE_OTLP_URL: 'https://otel.example:4318',
    FIELDLINE_OTLP_FIELDLINE: 'false',
    FIELDLINE_SPOOL_MAX_BYTES: '16MiB',
    FIELDLINE_METRICS: '0.0.0.0:9464',
    FIELDLINE_STATE: '/state',
  })
  t.strictSame(plain, {
    daemon: 'agent',
    metrics_readings: true,
    attributes: {},
    sources: [
      { type: 'cgroup', interval: '5s', most: 20 },
      { type: 'nic', interval: '1s', include: ['eth*', 'ens?'] },
      { type: 'disk-io', interval: '5s', exclude: ['loop*'] },
    ],
    uplinks: [
      {
        type: 'mqtt',
        brokers: ['mqtts://a.example:8883', 'mqtts://b.example'],
        username: 'web',
        password_file: '/run/secrets/mqtt',
      },
      { type: 'otlp', url: 'https://otel.example:4318', fieldline: false },
    ],
    node: 'web-0',
    state: '/state',
    spool: { max_bytes: '16MiB' },
    metrics: '0.0.0.0:9464',
  })
  t.match(config, {
    node: 'web-0',
    metrics: '0.0.0.0:9464',
    spool: { max_bytes: 16 * 1024 ** 2, when_full: 'drop-oldest' },
  })
})

t.test('a sidecar needs no variable but one that says it is configured so', async t => {
  const { config } = read({ FIELDLINE_METRICS: '0.0.0.0:9464', FIELDLINE_NODE: '', FIELDLINE_OTLP_URL: '' })
  t.strictSame(
    config.sources.map(s => s.type),
    ['cgroup', 'process', 'nic'],
  )
  t.strictSame([config.uplinks, config.metrics_readings], [[], true])
  t.equal(isConfigured({ PATH: '/bin' }), false)
  t.equal(isConfigured({ FIELDLINE_METRICS: 'off' }), true)
})

t.test(
  'attributes: the own files, OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME, FIELDLINE_ATTRIBUTES, the last wins',
  async t => {
    const env = {
      OTEL_RESOURCE_ATTRIBUTES: 'k8s.pod.name=web-0,k8s.namespace.name=shop,service.name=a,note=a%2Cb%20c,empty=',
      OTEL_SERVICE_NAME: 'shop',
      FIELDLINE_ATTRIBUTES: 'k8s.pod.name=web-1, site=main',
    }
    const own = { 'container.id': 'abc', 'k8s.namespace.name': 'unknown' }
    t.strictSame(fromEnvironment(env, known, own).config.attributes, {
      'container.id': 'abc',
      'k8s.namespace.name': 'shop',
      'k8s.pod.name': 'web-1',
      'service.name': 'shop',
      note: 'a,b c',
      site: 'main',
    })
  },
)

t.test('every mistake is told with its variable', async t => {
  const wrong: readonly (readonly [Environment, RegExp])[] = [
    [{ FIELDLINE_NODES: 'x' }, /^FIELDLINE_NODES: unknown variable; did you mean FIELDLINE_NODE\?$/],
    [{ FIELDLINE_QWERTYUIOP: 'x' }, /^FIELDLINE_QWERTYUIOP: unknown variable; docs\/sidecar\.md has them all$/],
    [
      { FIELDLINE_MQTT_PASSWORD: 'hunter2' },
      /^FIELDLINE_MQTT_PASSWORD: a secret does not belong .* FIELDLINE_MQTT_PASSWORD_FILE$/,
    ],
    [{ FIELDLINE_SOURCES: 'cpuu' }, /^FIELDLINE_SOURCES: unknown source type cpuu; did you mean cpu\?$/],
    [{ FIELDLINE_SOURCES: 'cpu,cpu' }, /^FIELDLINE_SOURCES: a second source with the name cpu/],
    [
      { FIELDLINE_SOURCES: 'cpu', FIELDLINE_NIC_INCLUDE: 'eth0' },
      /^FIELDLINE_NIC_INCLUDE: its source is not among those/,
    ],
    [{ FIELDLINE_INTERVAL: '10' }, /^FIELDLINE_INTERVAL: expected a duration such as 10s/],
    [{ FIELDLINE_PROCESS_TOP: 'many' }, /^FIELDLINE_PROCESS_TOP: expected a whole number from 0 to 200, got "many"$/],
    [{ FIELDLINE_NIC_INCLUDE: '[z-a]' }, /^FIELDLINE_NIC_INCLUDE: .*the range in \[z-a\] is not one$/],
    [{ FIELDLINE_OTLP_TIMEOUT: '3s' }, /^FIELDLINE_OTLP_URL: .* but it is missing$/],
    [{ FIELDLINE_MQTT_BROKERS: 'http://a' }, /^FIELDLINE_MQTT_BROKERS: expected /],
    [{ FIELDLINE_MQTT_BROKERS: 'mqtt://user:pw@a' }, /^FIELDLINE_MQTT_BROKERS: expected /],
    [{ FIELDLINE_SPOOL_MAX_BYTES: '5' }, /^FIELDLINE_SPOOL_MAX_BYTES: expected a size such as 64MiB/],
    [{ FIELDLINE_METRICS: 'off' }, /^FIELDLINE_METRICS: it is off and there is no uplink/],
    [{ FIELDLINE_ATTRIBUTES: 'site' }, /^FIELDLINE_ATTRIBUTES: expected key=value/],
    [{ OTEL_RESOURCE_ATTRIBUTES: 'a=%zz' }, /^OTEL_RESOURCE_ATTRIBUTES: expected key=value/],
    [{ FIELDLINE_DAEMON: 'gateway' }, /^FIELDLINE_DAEMON: unknown variable/],
  ]
  for (const [env, message] of wrong) {
    const told = mistakes(env)
    t.equal(told.length, 1, JSON.stringify(told))
    t.match(told[0], message)
    t.notMatch(told[0], /hunter2|user:pw/)
  }
  t.equal(mistakes({ FIELDLINE_NODES: 'x', FIELDLINE_INTERVAL: '10', FIELDLINE_OTLP_TIMEOUT: '3s' }).length, 3)
})
