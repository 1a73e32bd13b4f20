import t from 'tap'
import { Place } from '../../../core/shape.ts'
import { registers } from '../../../gateway/modbus/registers.ts'

const good = { name: 'oil', table: 'holding-register', address: 4, type: 'i16' }

const mistakes: readonly [string, readonly unknown[], RegExp][] = [
  ['a coil that is a number', [{ ...good, table: 'coil' }], /oil: a coil is one bit, so its type is bool, not i16/],
  ['a register that is a bit', [{ ...good, type: 'bool' }], /oil: a holding-register has 16 bits/],
  [
    'a value past the last address',
    [{ ...good, type: 'f32', address: 65_535 }],
    /oil: a f32 at address 65535 would reach past/,
  ],
  ['the same series twice', [good, { ...good, address: 5 }], /register oil is already given as number 1 of this list/],
  [
    'an unknown table',
    [{ ...good, table: 'holding' }],
    /expected one of coil, discrete-input, holding-register, input-register/,
  ],
  ['an unknown key', [{ ...good, adress: 4 }], /unknown key adress; did you mean address\?/],
]

t.test('a register list is checked, and each mistake names its register', async t => {
  for (const [what, list, wanted] of mistakes) {
    const place = new Place()
    registers.read(list, place)
    t.match(place.problems[0]?.message, wanted, what)
  }
})

t.test('the same name with other attributes is another series', async t => {
  const place = new Place()
  registers.read(
    [
      { ...good, attributes: { pump: 1 } },
      { ...good, address: 5, attributes: { pump: 2 } },
    ],
    place,
  )
  t.strictSame(place.problems, [])
})
