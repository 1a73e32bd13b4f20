#!/usr/bin/env node
// dist/fieldline.js: settles what must be before anything else runs, then loads the command. It is CommonJS, because
// Node's ESM loader itself keeps the compilers busy: flags set from an ES module come 2 MB of RSS too late.

// An agent works a few milliseconds a second: what V8's optimizing compilers would gain it, they cost it many times over in
// memory and CPU time. The baseline compiler stays. A gateway or a collector has enough to do for all of them.
const lean = ['--no-opt', '--no-maglev', '--optimize-for-size']

// What a gateway reads is garbage a moment later: without this V8 would let three times as much of it lie as is alive
// (100,000 tags a second: 440 MB of RSS instead of 200).
const tidy = ['--heap-growing-percent=30']
// Its young generation shall hold what is on its way to the disk at one moment, and not much more: at 1 MiB a quarter of
// the time went into collecting it (2,000 HL7 messages a second), at 32 MiB the rest of the 440 MB.
const young = 8 * 1024 ** 2

const { getHeapSpaceStatistics, setFlagsFromString } = process.getBuiltinModule('v8')
if (process.argv[2] === 'agent') for (const flag of lean) setFlagsFromString(flag)
if (process.argv[2] === 'gateway') {
  for (const flag of tidy) setFlagsFromString(flag)
  growYoung(young)
}

/** Lets the young generation grow to so many bytes, at once, and then no more: it grows by what survives in it. */
function growYoung(bytes) {
  const size = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size
  setFlagsFromString('--semi-space-growth-factor=4')
  for (let held = []; size() < bytes && held.length < 100; held.push(new Array(8000).fill(0)));
  setFlagsFromString('--semi-space-growth-factor=1')
}

import('./main.mjs')
