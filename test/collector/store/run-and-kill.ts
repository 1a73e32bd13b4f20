// A child that writes and says so, killed in the midst of it.

import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Starts the writer on the folder and kills it some time after its n-th write; returns the highest number that it reported. */
export async function runAndKill(writer: string, folder: string, writes: number, delay: number): Promise<number> {
  const child = spawn(process.execPath, [writer, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let reported = 0
  let seen = 0
  child.stdout.on('data', (bytes: Buffer) => {
    for (const line of bytes.toString().trim().split('\n')) reported = Math.max(reported, Number(line))
    seen++
    if (seen === writes) setTimeout(() => child.kill('SIGKILL'), delay)
  })
  await once(child, 'exit')
  return reported
}
