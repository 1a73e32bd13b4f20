import t from 'tap'
import { en } from '../../cli/texts-en.ts'
import { zh } from '../../cli/texts-zh.ts'

/** `help.check` and the like, for everything that is a text or makes one. */
function keys(texts: object, path = ''): string[] {
  return Object.entries(texts).flatMap(([key, value]) =>
    typeof value === 'object' ? keys(value, `${path}${key}.`) : [`${path}${key}`],
  )
}

t.test('both languages have every text', async t => {
  t.strictSame(keys(zh).toSorted(), keys(en).toSorted())
})

t.test('both languages name the same commands, options and examples in a help text', async t => {
  for (const name of Object.keys(en.help) as (keyof typeof en.help)[]) {
    const options = (text: string) => [...new Set(text.match(/--[a-z]+/g))].toSorted()
    const examples = (text: string) => text.split('\n').filter(line => line.startsWith('  fieldline '))
    t.strictSame(options(zh.help[name]), options(en.help[name]), name)
    t.strictSame(examples(zh.help[name]), examples(en.help[name]), name)
  }
})

t.test('every Chinese text is Chinese', async t => {
  for (const name of Object.keys(en.help) as (keyof typeof en.help)[]) t.match(zh.help[name], /\p{Script=Han}{2}/u)
  for (const name of Object.keys(en.said) as (keyof typeof en.said)[]) {
    const said = zh.said[name]
    const text =
      typeof said === 'function' ? (said as (...words: string[]) => string)('a', 'b', 'c', 'd') : JSON.stringify(said)
    t.match(text, /\p{Script=Han}/u, name)
  }
})
