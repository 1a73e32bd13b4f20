import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { edac, parseAer } from '../../../agent/sources/edac.ts'
import { Place } from '../../../core/shape.ts'
import { seeded } from '../../random.ts'
import { fakeHost } from '../fake-host.ts'
import { machine, readings, sourceContract } from '../source-contract.ts'

const folder = join(import.meta.dirname, 'edac')
sourceContract(t, edac, folder)

const defaults = edac.options.read({}, new Place())

t.test('links are read once a minute, memory at each tick; what is still there keeps its series', async t => {
  const { host } = machine(t, join(folder, 'server'))
  const made = await readings(edac, defaults, host, 13)
  const count = (part: string): number => made.filter(r => Object.keys(r.values).some(k => k.includes(part))).length
  t.strictSame([count('memory'), count('pci_device')], [13, 3])
  t.equal(made[12]!.samples[0]!.series, made[0]!.samples[0]!.series)
})

t.test('a module that was relabelled is another series, one that is gone is no data', async t => {
  const { root, host } = machine(t, join(folder, 'server'))
  const mc0 = join(root, 'sys/devices/system/edac/mc/mc0')
  let n = 0
  const between = (): void => {
    if (++n !== 1) return
    writeFileSync(join(mc0, 'dimm1/dimm_label'), 'A1\n')
    rmSync(join(mc0, 'dimm2'), { recursive: true })
  }
  const made = await readings(edac, defaults, host, 8, between)
  const names = made.map(r => Object.keys(r.values).flatMap(k => /name=([^,]*)\S*type=corrected/.exec(k)?.[1] ?? []))
  t.ok(names[1]!.includes('CPU_SrcID#0_MC#0_Chan#0_DIMM#0'), 'labels are read once a minute')
  t.ok(names.at(-1)!.includes('A1') && !names.at(-1)!.some(name => name.includes('Chan#1')))
  t.strictSame(made.at(-1)!.said, [])
})

t.test('more modules than any board has are not read, which is said once', async t => {
  const root = t.testdir({})
  for (let n = 0; n < 200; n++) {
    const dimm = join(root, `sys/devices/system/edac/mc/mc0/dimm${n}`)
    mkdirSync(dimm, { recursive: true })
    writeFileSync(join(dimm, 'dimm_ce_count'), `${n}\n`)
  }
  const made = await readings(edac, defaults, fakeHost(root), 8)
  t.strictSame(
    Object.values(made[0]!.values),
    Array.from({ length: 127 }, (_, n) => n),
    'mc0 itself is one of 128',
  )
  t.strictSame(made.at(-1)!.said, ['warning memory modules: more than 128, the last are not read'])
})

t.test('no bytes make the parser throw anything but an error that names the file', async t => {
  const random = seeded(t)
  const whole = Buffer.from('RxErr 3\nBadTLP 41\nTimeout 0\nTOTAL_ERR_COR 44\n')
  t.strictSame(parseAer('/sys/x', whole), {
    total: 44,
    kinds: new Map([
      ['RxErr', 3],
      ['BadTLP', 41],
      ['Timeout', 0],
    ]),
  })
  const strange: string[] = []
  for (let n = 0; n < 20_000; n++) {
    const bytes = Buffer.from(whole.subarray(0, random.below(whole.length + 1)))
    for (let change = random.below(3); change > 0 && bytes.length > 0; change--) {
      bytes[random.below(bytes.length)] = random.below(256)
    }
    try {
      const { total, kinds } = parseAer('/sys/x', bytes)
      if (![total, ...kinds.values()].every(v => v >= 0 && v < 2 ** 63)) strange.push(`${bytes}`)
    } catch (error) {
      if (!/^\/sys\/x: expected/.test((error as Error).message)) strange.push(String(error))
    }
  }
  t.strictSame(strange, [])
  for (let end = 0; end < whole.length; end++) t.throws(() => parseAer('/sys/x', whole.subarray(0, end)))
})
