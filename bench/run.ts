// `npm run bench -- NAME [options]`: each bench is one file that prints its tables and returns the figures, which are
// printed last as one JSON line.

const benches = [
  'footprint',
  'load',
  'ingest',
  'query',
  'crash',
  'fieldbus',
  'mllp',
  'nab',
  'detect',
  'disks',
  'smd',
  'disks-daily',
  'bearings',
] as const

const [name, ...args] = process.argv.slice(2)
const bench = benches.find(b => b === name)
if (bench === undefined) {
  console.error(`bench: ${name === undefined ? 'which one?' : `${name} is unknown.`} Known: ${benches.join(', ')}`)
  console.error('example: npm run bench -- ingest')
  process.exit(2)
}
const { run }: { run(args: readonly string[]): Promise<Record<string, unknown>> } = await import(`./${bench}.ts`)
console.log(JSON.stringify(await run(args)))
process.exit(0)
