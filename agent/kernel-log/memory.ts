// Out of memory: who was killed, in which cgroup, and how much it had. mm/oom_kill.c.

import { type Fields, numberOf, type Refined, type Rule, textOf } from './rule.ts'

const kib = ['total_vm', 'anon_rss', 'file_rss', 'shmem_rss', 'pgtables']

/** `total-vm:123kB` and its like in bytes; what is resident is their sum. */
function refineKill(fields: Fields): Refined | undefined {
  if (numberOf(fields, 'pid') === undefined) return undefined
  const bytes = Object.fromEntries(
    kib.flatMap(name => {
      const value = numberOf(fields, name)
      return value === undefined ? [] : [[name, value * 1024]]
    }),
  )
  const resident = (bytes.anon_rss ?? 0) + (bytes.file_rss ?? 0) + (bytes.shmem_rss ?? 0)
  const scope = /MEMCG/.test(textOf(fields, 'constraint')) || textOf(fields, 'scope') !== '' ? 'cgroup' : 'machine'
  return { fields: { ...bytes, ...(bytes.anon_rss !== undefined && { rss: resident }), scope } }
}

const killed =
  /(?<scope>Memory cgroup )?[Oo]ut of memory(?: \(oom_kill_allocating_task\))?: Kill(?:ed)? process (?<pid>\d+)(?:, UID (?<uid>\d+),)? \((?<process>.*?)\)(?: score (?<score>\d+) or sacrifice child)?,?(?: total-vm:(?<total_vm>\d+)kB)?(?:, anon-rss:(?<anon_rss>\d+)kB)?(?:, file-rss:(?<file_rss>\d+)kB)?(?:, shmem-rss:(?<shmem_rss>\d+)kB)?(?:,? UID:(?<user>\d+))?(?: pgtables:(?<pgtables>\d+)kB)?(?: oom_score_adj:(?<oom_score_adj>-?\d+))?/
/** Up to 4.18 the sizes are in a line of their own. */
const sizes =
  /Killed process (?<pid>\d+)(?:, UID (?<uid>\d+),)? \((?<process>.*?)\),? total-vm:(?<total_vm>\d+)kB, anon-rss:(?<anon_rss>\d+)kB(?:, file-rss:(?<file_rss>\d+)kB)?(?:, shmem-rss:(?<shmem_rss>\d+)kB)?/
const constraint =
  /oom-kill:constraint=(?<constraint>\w+),.*?(?:,oom_memcg=(?<limit_cgroup>[^,]+))?(?:,task_memcg=(?<cgroup>[^,]+)),task=(?<process>.*),pid=(?<pid>\d+),uid=(?<uid>\d+)/
const taskIn = /Task in (?<cgroup>\S+) killed as a result of limit of (?<limit_cgroup>\S+)/

export const memory: readonly Rule[] = [
  {
    event: 'kernel.oom_kill',
    severity: 'error',
    pattern:
      /^(?<invoker>.*) invoked oom-killer: gfp_mask=(?<gfp>0x[0-9a-f]+)(?:\([^)]*\))?,.*?(?:order=(?<order>-?\d+))?(?:, oom_score_adj=-?\d+)?$/,
    more: [constraint, taskIn, killed, sizes, /memory: usage (?<usage_kib>\d+)kB, limit (?<limit_kib>\d+)kB/],
    last: /Killed process \d+.*(?:anon-rss|total-vm)/,
    refine: refineKill,
  },
  {
    event: 'kernel.oom_kill',
    severity: 'error',
    pattern: constraint,
    more: [killed, sizes],
    last: /Killed process \d+.*(?:anon-rss|total-vm)/,
    refine: refineKill,
  },
  { event: 'kernel.oom_kill', severity: 'error', pattern: killed, more: [sizes], last: sizes, refine: refineKill },
  { event: 'kernel.oom_kill', severity: 'error', pattern: sizes, refine: refineKill },
  {
    event: 'kernel.allocation_failure',
    severity: 'warning',
    pattern: /^(?<process>.*): page allocation (?:failure: |stalls.*?)order:(?<order>\d+), mode:(?<mode>0x[0-9a-f]+)/,
  },
  {
    event: 'kernel.allocation_failure',
    severity: 'warning',
    pattern:
      /(?<what>SLUB: Unable to allocate memory on node -?\d+|vmap allocation for size \d+ failed.*|warn_alloc.*)/,
  },
]
