#!/usr/bin/env node
// dist/fieldline.js: settles what must be before anything else runs, then loads the command. It is CommonJS, because
// Node's ESM loader itself keeps the compilers busy: flags set from an ES module come 2 MB of RSS too late.

// An agent works a few milliseconds a second: what V8's optimizing compilers would gain it, they cost it many times over in
// memory and CPU time. The baseline compiler stays. A gateway or a collector has enough to do for all of them.
const lean = ['--no-opt', '--no-maglev', '--optimize-for-size']

// What a gateway reads is garbage a moment later: without these V8 would let three times as much of it lie as is alive
// (100,000 tags a second: 440 MB of RSS instead of 200).
const tidy = ['--heap-growing-percent=30', '--semi-space-growth-factor=1']

const { setFlagsFromString } = process.getBuiltinModule('v8')
if (process.argv[2] === 'agent') for (const flag of lean) setFlagsFromString(flag)
if (process.argv[2] === 'gateway') for (const flag of tidy) setFlagsFromString(flag)
import('./main.mjs')
