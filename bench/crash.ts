// `--kills N` (200) SIGKILLs of edges, collector and broker at random moments, `--seed N`; the proof of test/crash.test.ts
// at any length.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { crash } from '../test/crash/run.ts'
import { random } from '../test/random.ts'
import { table } from './process.ts'

export async function run(args: readonly string[]): Promise<Record<string, unknown>> {
  const options = { kills: { type: 'string', default: '200' }, seed: { type: 'string' } } as const
  const { values } = parseArgs({ args: [...args], options })
  const seed = Number(values.seed ?? Date.now() % 1e9)
  const folder = mkdtempSync(join(tmpdir(), 'fieldline-crash-'))
  console.error(`seed ${seed}, in ${folder}`)
  const result = await crash({
    folder,
    kills: Number(values.kills),
    random: random(seed),
    progress: n => console.error(`${n} kills`),
  })
  const { errors, ...figures } = result
  for (const error of errors) console.error(error)
  table([{ seed, ...figures }])
  if (result.lost === 0 && result.duplicated === 0) rmSync(folder, { recursive: true })
  return { ...figures, seed }
}
