// What makes a machine busy, for the namespace in which it runs: it all ends with that.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'

/** Sleeping processes with a few hundred names. */
export async function processes(count: number): Promise<void> {
  if (count === 0) return
  const script = `i=0
while [ $i -lt ${count} ]; do
  (echo "job-$((i % 300))" >/proc/self/comm; read -r _ <&3) &
  i=$((i + 1))
done
echo all
wait`
  // All read from a pipe into which nobody writes; what a shell starts with & has no other input.
  const crowd = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] })
  await Promise.race([once(crowd.stdout!, 'data'), endedEarly(crowd)])
}

/** A busy loop at normal priority for each CPU. */
export function spinners(count: number): void {
  for (let n = 0; n < count; n++) spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' })
}

/** Pairs of virtual cables, up. */
export function interfaces(count: number): void {
  const pairs = Array.from({ length: Math.ceil(count / 2) }, (_, n) => [`eno${2 * n}`, `eno${2 * n + 1}`] as const)
  const lines = pairs.flatMap(([a, b]) => [
    `link add ${a} type veth peer name ${b}`,
    `link set ${a} up`,
    `link set ${b} up`,
  ])
  execFileSync('ip', ['-batch', '-'], { input: lines.join('\n') })
}

async function endedEarly(child: ChildProcess): Promise<never> {
  const [status] = await once(child, 'exit')
  throw new Error(`sh: no such crowd, it ended with ${status}`)
}
