import t from 'tap'
import { compileRegex } from '../../../agent/prometheus/regex.ts'
import { type Random, seeded } from '../../random.ts'

/** A random expression of what both know; few groups are repeated within repeated ones, for which JavaScript takes minutes. */
function expression(random: Random, depth = 0): string {
  const atom = (): string => {
    const kind = random.below(depth > 3 ? 5 : 8)
    if (kind < 3) return random.pick(['a', 'b', 'c', '.', '\\.', '\\d', '\\w'])
    if (kind === 3) return random.pick(['[ab]', '[^a]', '[a-c1]', '[\\d_]'])
    if (kind === 4) return random.pick(['a', 'b', '\\b', '^', '$'])
    if (kind === 5) return `(?:${expression(random, depth + 1)})`
    return `(${expression(random, depth + 1)})`
  }
  const repeated = (): string => {
    const one = atom()
    if (/^(\^|\$|\\b)$/.test(one)) return one
    if (depth > 0 && one.endsWith(')')) return one + random.pick(['', '', '?', '??'])
    return one + random.pick(['', '', '', '*', '+', '?', '{2}', '{1,2}', '{0,}', '*?', '+?', '??'])
  }
  const sequence = (): string => Array.from({ length: random.below(4) }, repeated).join('')
  return Array.from({ length: 1 + random.below(depth === 0 ? 3 : 2) }, sequence).join('|')
}

t.test('it matches what JavaScript matches', async t => {
  const random = seeded(t)
  let matched = 0
  for (let round = 0; round < 20_000; round++) {
    const source = expression(random)
    const text = Array.from({ length: random.below(7) }, () => random.pick(['a', 'b', 'c', '1', '.', '_'])).join('')
    const wanted = new RegExp(`^(?:${source})$`, 's').exec(text)
    const found = compileRegex(source).match(text)
    if ((found === undefined) !== (wanted === null)) t.fail(`/${source}/ of ${JSON.stringify(text)}`)
    if (found !== undefined) matched++
  }
  t.ok(matched > 1000, `${matched} matches`)
})

t.test('groups hold what Go would put into them', async t => {
  const cases: [string, string, (string | undefined)[] | undefined][] = [
    ['(.*);(.*)', 'a;b;c', ['a;b;c', 'a;b', 'c']],
    ['(.*?);(.*)', 'a;b;c', ['a;b;c', 'a', 'b;c']],
    ['rabbitmq_(queue|node)_(.+)', 'rabbitmq_queue_x', ['rabbitmq_queue_x', 'queue', 'x']],
    ['(a)|(b)', 'b', ['b', undefined, 'b']],
    ['(?P<kind>x+)(?<rest>y*)', 'xx', ['xx', 'xx', '']],
    ['(?i)Up', 'uP', ['uP']],
    ['(?i:U)p', 'uP', undefined],
    ['a.b', 'a\nb', ['a\nb']],
    ['(?-s)a.b', 'a\nb', undefined],
    ['[]a]+', ']a', [']a']],
    ['\\x41\\-\\"[\\"\\-]', 'A-""', ['A-""']],
    ['\\p{Lu}+', 'ÄÖ', ['ÄÖ']],
    ['😀{2}', '😀😀', ['😀😀']],
    ['', '', ['']],
    ['up', 'ups', undefined],
  ]
  for (const [source, text, wanted] of cases) t.strictSame(compileRegex(source).match(text), wanted, source)
  t.strictSame(
    [...compileRegex('(?P<kind>x+)(?<rest>y*)').names],
    [
      ['kind', 1],
      ['rest', 2],
    ],
  )
})

t.test('what takes JavaScript for ever takes no time', async t => {
  const text = 'a'.repeat(4000)
  for (const source of ['(a*)*b', '(a|a)*b', '(a|aa)+$b', '.*.*.*.*.*=', '(x+x+)+y|(a+)+'])
    compileRegex(source).match(text)
  t.pass()
})

t.test('what it does not know is an error in words', async t => {
  const wrong: Readonly<Record<string, RegExp>> = {
    '(a': /not closed/,
    'a)': /parenthesis too many/,
    '[a': /class .* not closed/,
    '*a': /nothing for \* to repeat/,
    'a**': /repeated/,
    'a{2}{3}': /repeated/,
    'a{3,2}': /no range/,
    'a{1001}': /no range/,
    '(?=a)b': /kind that is not known/,
    '(?<!a)b': /kind that is not known/,
    '(a)\\1': /\\1 is not known/,
    '[[:alpha:]]': /not known/,
    '((a{100}){100}){100}': /too long/,
    [`${'('.repeat(200)}${')'.repeat(200)}`]: /nested too deeply/,
    '[z-a]': /Range out of order/,
  }
  for (const [source, message] of Object.entries(wrong))
    t.throws(() => compileRegex(source), { message }, source.slice(0, 30))
})

t.test('random text is an expression or an error', async t => {
  const random = seeded(t)
  const pieces = [
    'a',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    '*',
    '+',
    '?',
    '|',
    '\\',
    '^',
    '$',
    '.',
    '1',
    ',',
    ':',
    'P',
    '<',
    '>',
    '-',
  ]
  for (let round = 0; round < 30_000; round++) {
    const source = Array.from({ length: random.below(10) }, () => random.pick(pieces)).join('')
    try {
      compileRegex(source).match('aaa1')
    } catch (error) {
      if (!(error instanceof Error)) throw error
    }
  }
  t.pass()
})
