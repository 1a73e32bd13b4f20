// Network interfaces. Every driver says in its own words that a link went up or down; the name of the interface stands
// before it, with the driver and the PCI address before that where the driver is of the present kind.

import { type Fields, type Refined, type Rule, textOf } from './rule.ts'

/** Words that stand where another driver has the name. */
const nic = '(?<nic>(?!(?:NIC|Network|Copper|Fib(?:er|re)|PHY|[Ll]ink|SATA|PCIe|Port|port)\\b)[a-zA-Z][\\w.@-]{0,14})'
const driver = '(?<driver>[a-z][\\w-]{1,15})'
const pci = '(?<hw>[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7])'
/** `mlx5_core 0000:03:00.0 eth0: `, `igb 0000:01:00.0 eth0: igb: eth0 `, `bnx2 0000:01:00.0: eth0: `, `e1000e: eth0 `, `eth0: ` */
const who = `(?:${driver}:? )?(?:${pci}:? |virtio\\d+ |[0-9a-f-]{36} )?(?:[\\w-]+: )??${nic}(?: \\([^)]*\\))?:? (?:(?:[\\w-]+: )?\\k<nic>:? )?`

function refineLink(fields: Fields): Refined {
  const word = textOf(fields, 'state').toLowerCase()
  const up = /\bup\b|active|ready|gained|\bon\b/.test(word)
  const mbps = speedOf(textOf(fields, 'speed'), textOf(fields, 'unit'))
  return {
    severity: up ? 'info' : 'warning',
    fields: {
      state: up ? 'up' : 'down',
      ...(mbps !== undefined && { speed: mbps * 125_000 }),
      ...(fields.duplex !== undefined && { duplex: textOf(fields, 'duplex').toLowerCase() }),
    },
  }
}

/** In Mbit/s. */
function speedOf(speed: string, unit: string): number | undefined {
  const value = Number(speed)
  if (speed === '' || !Number.isFinite(value)) return undefined
  return /^g/i.test(unit) ? value * 1000 : value
}

const speed =
  '(?:[ ,]*(?:at )?(?<speed>\\d+(?:\\.\\d+)?) ?(?<unit>[GM]b(?:ps|it/s|/s)?))?(?:[ ,/-]*(?<duplex>[Ff]ull|[Hh]alf)(?: ?-?[Dd]uplex)?)?'

export const network: readonly Rule[] = [
  {
    event: 'kernel.network.bond',
    severity: 'warning',
    pattern:
      /^(?:bonding: )?(?<nic>[\w.-]+): ?(?:\(slave (?<member>[\w.-]+)\): (?<what>link status (?:definitely )?(?<state>down|up).*)|(?<what>link status (?:definitely )?(?<state>down|up)(?: again)?(?: for (?:active |backup |idle )?(?:interface|slave) (?<member>[\w.-]+?))?(?:,? .*)?))$/,
    refine: refineBond,
  },
  {
    event: 'kernel.network.bond',
    severity: 'warning',
    pattern:
      /^(?:bonding: )?(?<nic>[\w.-]+): (?:\(slave [\w.-]+\): )?(?<what>now running without any active (?:interface|slave)!?|making interface (?:(?<member>[\w.-]+) )?the new active one.*|(?:active interface up|first active interface up)!|[Ww]arning: (?:No 802\.3ad response|the permanent HWaddr|.*partner).*|An illegal loopback.*|(?:failed to get|no) link status.*|Removing an active aggregator|Port device \S+ (?:removed|added)|link (?:flap|failure).*)$/,
    refine: refineBond,
  },
  {
    event: 'kernel.network.link',
    severity: 'info',
    pattern: new RegExp(
      `^${who}(?:NIC |Network )?(?:(?:Copper|Fiber|Fibre|PHY) )?[Ll]ink (?:is )?(?<state>Up|Down|up|down|UP|DOWN|becomes ready)\\b[!.,:]?(?: -)?${speed}`,
    ),
    refine: refineLink,
  },
  {
    event: 'kernel.network.link',
    severity: 'info',
    pattern: new RegExp(`^${who}(?:[\\w-]+: )?link change old (?<before>\\d+) new (?<speed>\\d+)`),
    refine: fields => refineLink({ ...fields, state: fields.speed === 0 ? 'down' : 'up' }),
  },
  {
    event: 'kernel.network.link',
    severity: 'info',
    pattern: /ADDRCONF\(NETDEV_(?:CHANGE|UP)\): (?<nic>\S+): link (?<state>becomes ready|is not ready)/,
    // `not ready` only says that it was brought up; `ready` is told by most drivers too, and stands for those that do not.
    refine: fields => (/not/.test(textOf(fields, 'state')) ? undefined : refineLink(fields)),
  },
  {
    event: 'kernel.network.link',
    severity: 'warning',
    pattern: new RegExp(`^${who}(?<state>(?:[Ll]ost|[Gg]ained|[Nn]o) carrier|carrier (?:lost|on|off))`),
    refine: refineLink,
  },
  {
    event: 'kernel.network.link',
    severity: 'warning',
    pattern:
      /(?<driver>mlx5_core|mlx4_core|mlx4_en|hfi1|qib|irdma|bnxt_re|ib_\w+)(?:[ :]+(?<hw>[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]))?(?:.*?\b(?<nic>mlx[45]_\d+|hfi1_\d+|ib\d+))?.*?[Pp]ort:? ?(?:module )?(?<port>\d+):? (?:is |logical |physical )?[Ll]ink (?<state>[Uu]p|[Dd]own|ACTIVE|INIT|DOWN)/,
    refine: refineLink,
  },
  {
    event: 'kernel.network.fault',
    severity: 'error',
    pattern:
      /NETDEV WATCHDOG: (?:CPU: \d+: )?(?<nic>\S+)(?: \((?<driver>[^)]*)\))?: transmit queue (?<queue>\d+) timed out(?: (?<ms>\d+) ms)?/,
  },
  {
    event: 'kernel.network.fault',
    severity: 'error',
    pattern:
      /^(?<driver>mlx[45]_core|mlx4_en|bnxt_en|bnx2x?|ixgbe|i40e|ice|igb|igc|e1000e?|tg3|be2net|qede?|qlcnic|cxgb[34]|ena|virtio_net|r8169|atlantic|sfc|nfp|hns3|ionic|enic|nicvf|gve|mana|hv_netvsc|vmxnet3|liquidio|thunder-nic|octeon_\w+|ath\w+|iwlwifi|stmmac\w*|fec|macb|xgbe|amd-xgbe)(?: (?<hw>[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]|[\w.-]+?))?:?(?: (?<nic>[a-zA-Z][\w.-]{0,14})(?: \(\S+\))?:)? (?<what>.*(?:[Hh]ang\b|[Uu]nit [Hh]ang|TX [Tt]imeout|[Tt]ransmit timeout|tx_timeout|[Tt]imed out|[Rr]eset(?:ting)? (?:adapter|the? ?device|due|req|NIC|chip|VF)|[Rr]eset adapter|[Aa]dapter (?:removed|not responding)|firmware (?:error|fatal|hang|not responding|reset)|[Ff]atal|driver issue|recovery mode|health (?:poll|compromised|issue|recovery|error)|device's health|internal state error|assert_|assert_var|[Hh]igh temperature|over(?:heat|temp)|PCIe link lost|parity|[Uu]ncorrect|TDR|module.*(?:unplugged|error|plug)|[Cc]able (?:error|unplugged)|unsupported SFP|[Ff]ailed to (?:init|reset|recover|load|re-?enable)|stopped because|swiotlb|ECC error|malicious|MDD|Malicious Driver|CQE error|error cqe|dead|[Ff]ail(?:ed)? over|BAD_|catas).*)$/,
    refine: fields =>
      /module.*plug|temperature.*normal|recovered|Reset (?:done|success)/i.test(textOf(fields, 'what')) &&
      !/unplugged|error/i.test(textOf(fields, 'what'))
        ? { severity: 'info' }
        : {},
  },
  {
    event: 'kernel.network.limit',
    severity: 'error',
    pattern:
      /(?<what>(?<table>nf_conntrack|ip_conntrack)(?:: nf_conntrack)?: table full, dropping packet|(?<table>neighbou?r(?:: \w+)?|Neighbour|\w*arp_cache|ndisc_cache): ?(?:[\w ]+: )?(?:neighbor )?table overflow|TCP: (?<table>out of memory|too many orphaned sockets)|(?:TCP|request_sock_TCP): (?:request_sock_TCP: )?Possible SYN flooding on port (?<port>\S+?)\..*|IPv[46]: (?:dst|.*route) cache.*(?:full|overflow)|dst cache overflow|(?:UDP|TCP): .*bad checksum)/,
    refine: fields => (/SYN flood|bad checksum/.test(textOf(fields, 'what')) ? { severity: 'warning' } : {}),
  },
]

function refineBond(fields: Fields): Refined {
  const { state, what } = { state: textOf(fields, 'state'), what: textOf(fields, 'what') }
  const lost = /without any active/.test(what)
  return {
    severity: lost ? 'critical' : /up|making|added/.test(`${state} ${what}`) && state !== 'down' ? 'info' : 'warning',
    ...(lost && { fields: { state: 'down' } }),
  }
}
