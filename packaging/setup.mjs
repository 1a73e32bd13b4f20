// Sets up what is missing: the locked dependencies (with the pinned Node 24) and tap's own build. Plain JavaScript,
// because the Node that runs this may be any from 20 on. Does nothing when nothing changed.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const stamp = 'node_modules/.fieldline-setup'
const inputs = ['package.json', 'package-lock.json', '.taprc']

process.chdir(new URL('..', import.meta.url).pathname)
const wanted = createHash('sha256')
for (const file of inputs) wanted.update(readFileSync(file))
const key = wanted.update(`${process.platform} ${process.arch}`).digest('hex')

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== key) {
  console.error('Setting up (once, about a minute): installing the locked dependencies and Node 24 ...')
  // No package needs its install script: native parts are shipped built, and better-sqlite3's script would compile anew.
  run('npm', ['ci', '--ignore-scripts', '--no-fund', '--no-audit', '--no-update-notifier'])
  run('node_modules/.bin/tap', ['build'])
  writeFileSync(stamp, key)
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  if (status === 0) return
  console.error(`setup: ${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ` with status ${status}`}`)
  console.error('setup: it needs the npm registry once; check the network or npm config get registry, then run again')
  process.exit(1)
}
