// The kernel itself: tasks and CPUs that do not go on, faults, failed checks, and the end.

import { type Fields, type Refined, type Rule, textOf } from './rule.ts'

const where = [
  /^(?:\[<[0-9a-f]+>\] )?R?IP: (?:(?:0010|0033|e030|0060):)?(?:\[<[0-9a-f]+>\] )?(?:\[<[0-9a-f]+>\] )?(?<function>[\w.]+\+0x[0-9a-f/x]+)/,
  /^CPU: (?<processor>\d+)(?: UID: (?<uid>\d+))? PID: (?<pid>\d+) Comm: (?<process>.+?) (?<taint>(?:Not tainted|Tainted: .*?)) (?<kernel>\d+\.\S+)/,
  /^Hardware name: (?<machine>.*)$/,
  /^pc : (?<function>[\w.]+\+0x[0-9a-f/x]+)/,
  /^(?:Internal error: )?Oops(?:: | - )(?<code>.*)$/,
  /^Modules linked in: /,
]

function refineTask(fields: Fields): Refined | undefined {
  return textOf(fields, 'pid') === '' ? undefined : {}
}

export const stall: readonly Rule[] = [
  {
    event: 'kernel.hung_task',
    severity: 'error',
    pattern:
      /INFO: task (?<task>.*):(?<pid>\d+) (?<what>blocked|is blocked)(?: in I\/O wait| on a \w+)? for more than (?<seconds>\d+) seconds/,
    more: [
      /INFO: task (?<task>.*):(?<pid>\d+) (?:<writer> )?(?:is )?blocked on an? (?<lock>[\w-]+)(?:.*owned by task (?<owner>.*?)\.?$)?/,
      /^\s+(?:Not tainted|Tainted: .*?) (?<kernel>\d+\.\S+)/,
      /^task:.{1,15}\s+state:(?<state>\w)/,
    ],
  },
  {
    event: 'kernel.hung_task',
    severity: 'error',
    pattern: /INFO: task (?<task>.*):(?<pid>\d+) can't die for more than (?<seconds>\d+) seconds/,
  },
  {
    event: 'kernel.lockup',
    severity: 'critical',
    pattern:
      /(?:watchdog: )?BUG: (?<kind>soft) lockup - CPU#(?<cpu>\d+) stuck for (?<seconds>\d+)s! \[(?<process>.*):(?<pid>\d+)\]/,
    more: where,
  },
  {
    event: 'kernel.lockup',
    severity: 'critical',
    pattern:
      /(?:Watchdog detected |NMI watchdog: Watchdog detected |watchdog: Watchdog detected )?(?<kind>hard) LOCKUP on cpu (?<cpu>\d+)/i,
    more: where,
  },
  {
    event: 'kernel.lockup',
    severity: 'error',
    pattern: /BUG: workqueue (?<kind>lockup) - pool cpus=(?<cpus>\S+) .* stuck for (?<seconds>\d+)s!/,
  },
  {
    event: 'kernel.rcu_stall',
    severity: 'critical',
    pattern:
      /INFO: (?<flavour>rcu_\w+)(?: (?<kind>self-detected|detected(?: expedited)?) stalls?(?: on CPUs?(?:\/tasks)?.*)|.*\bstall)/,
    more: [
      /^(?:rcu: )?\s*(?<cpu>\d+)-[.!?O]+: \(/,
      /^(?:rcu: )?\s*Tasks blocked on level-\d+ rcu_node.*: (?<tasks>.*)$/,
      /^\s*\(t=(?<jiffies>\d+) jiffies/,
      /^\s*\(detected by (?<detector>\d+), t=(?<jiffies>\d+) jiffies/,
    ],
  },
  {
    event: 'kernel.rcu_stall',
    severity: 'critical',
    pattern: /(?<flavour>rcu_\w+) kthread (?<kind>starved) for (?<jiffies>\d+) jiffies/,
  },
  { event: 'kernel.panic', severity: 'critical', pattern: /Kernel panic - not syncing: (?<reason>.*)$/, more: where },
  {
    event: 'kernel.oops',
    severity: 'critical',
    pattern:
      /^(?<what>BUG: (?:unable to handle|kernel NULL pointer|KASAN|KFENCE|KCSAN|Bad page|Bad rss|scheduling while atomic|sleeping function|non-zero|using \w+ in|spinlock|workqueue leaked|recent printk|memory leak|stack guard|corrupted).*|kernel BUG at .*|general protection fault.*|Unable to handle kernel .*|Internal error: .*|Oops: .*|double fault.*|stack segment: .*|invalid opcode: .*|divide error: .*|list_(?:add|del) corruption.*|Kernel stack is corrupted.*|refcount_t: .*|UBSAN: .*|INFO: possible (?:circular|recursive) locking.*)$/,
    more: where,
    refine: fields =>
      /KCSAN|UBSAN|refcount_t|scheduling while|sleeping function|using \w+ in|possible (?:circ|recur)/.test(
        textOf(fields, 'what'),
      )
        ? { severity: 'error' }
        : {},
  },
  {
    event: 'kernel.warning',
    severity: 'warning',
    pattern: /WARNING: CPU: (?<processor>\d+) PID: (?<pid>\d+) at (?<place>\S+)(?: (?<function>\S+\+0x\S+))?/,
    more: [
      /^CPU: (?<processor>\d+) .*PID: (?<pid>\d+) Comm: (?<process>.+?) (?:Not tainted|Tainted: .*?) (?<kernel>\d+\.\S+)/,
    ],
  },
  {
    event: 'kernel.warning',
    severity: 'warning',
    pattern: /WARNING: (?<place>[\w./-]+:\d+) at (?<function>\S+), CPU#(?<processor>\d+): (?<process>.*)\/(?<pid>\d+)/,
  },
  {
    event: 'kernel.clocksource',
    severity: 'warning',
    pattern: /(?<what>(?:clocksource: .*|tsc: )Marking (?:clocksource )?'?(?<source>\w+)'? (?:as )?unstable.*)$/,
  },
  {
    event: 'kernel.process_fault',
    severity: 'warning',
    pattern:
      /^(?:show_signal_msg: \d+ callbacks suppressed )?(?<process>.{1,64}?)\[(?<pid>\d+)\]: (?<what>segfault|unhandled (?:exception|signal|page fault|level \d).*?|bad frame|User (?:access|process) fault.*?)(?: at (?<address>[0-9a-f]+))?(?: ip (?<ip>[0-9a-f]+) sp [0-9a-f]+ error (?<code>\d+))?(?: in (?<object>\S+?)(?:\[.*)?)?(?: likely on CPU .*)?$/,
    refine: refineTask,
  },
  {
    event: 'kernel.clocksource',
    severity: 'warning',
    pattern: /(?<what>(?:clocksource: .*|tsc: )Marking (?:clocksource )?'?(?<source>\w+)'? (?:as )?unstable.*)$/,
  },
  {
    event: 'kernel.process_fault',
    severity: 'warning',
    pattern:
      /^traps: (?<process>.{1,64}?)\[(?<pid>\d+)\] (?<what>[\w ]+?)(?::? ip:(?<ip>[0-9a-f]+) sp:[0-9a-f]+ error:(?<code>[0-9a-f]+))(?: in (?<object>[^\s[]+))?/,
  },
]
