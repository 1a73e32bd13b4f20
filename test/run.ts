// Runs the tests (all, or the files given) with tap and ends with `N passed, N failed, N skipped`, counting named
// tests. Failing files are printed whole; what was skipped is named with the command that would let it run.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

interface Count {
  passed: number
  failed: number
  skipped: string[]
}

const point = /^( *)(not ok|ok) \d+ - (.*)$/
const count: Count = { passed: 0, failed: 0, skipped: [] }

const tap = spawn('tap', ['run', '--reporter=tap', ...process.argv.slice(2)], { stdio: ['ignore', 'pipe', 'inherit'] })
const ended = new Promise<number>(resolve => tap.on('close', code => resolve(code ?? 1)))

let block: string[] = []
let failedInside = 0
for await (const line of createInterface({ input: tap.stdout })) {
  block.push(line)
  const m = point.exec(line)
  if (m && m[1] === '    ') inside(m[2] === 'ok', m[3]!)
  if (m && m[1] === '') file(m[2] === 'ok', m[3]!)
}
const code = await ended

for (const name of count.skipped) console.log(`skipped: ${name}`)
if (code !== 0 && count.failed === 0) count.failed = 1
if (count.passed === 0 && count.failed === 0) console.log('no test ran')
console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped.length} skipped`)
process.exit(count.failed > 0 || count.passed === 0 ? 1 : 0)

/** A named test of a file. */
function inside(ok: boolean, text: string): void {
  const skip = / # SKIP ?(.*)$/.exec(text)
  if (skip) count.skipped.push(text.replace(' # SKIP', ':'))
  else if (ok) count.passed++
  else {
    count.failed++
    failedInside++
  }
}

/** The end of a file; one that failed without a failing test (a crash, a time-out) counts as one. */
function file(ok: boolean, text: string): void {
  const skip = / # SKIP ?(.*)$/.exec(text)
  if (skip) count.skipped.push(text.replace(' # SKIP', ':'))
  else if (!ok && failedInside === 0) count.failed++
  console.log(ok ? `ok ${text}` : block.join('\n'))
  block = []
  failedInside = 0
}
