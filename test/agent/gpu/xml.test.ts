import t from 'tap'
import { type Element, find, parseXml } from '../../../agent/gpu/xml.ts'
import { seeded } from '../../random.ts'

const parse = (xml: string, opaque: readonly string[] = []): Element => parseXml('it', xml, new Set(opaque))

t.test('elements, attributes, text, comments and CDATA are read', async t => {
  const root = parse(
    '\ufeff<?xml version="1.0"?>\n<!DOCTYPE a SYSTEM "a.dtd">\n<!-- < -->\n<a>\n <b id="1" x=\'"\'> one &amp; &#65;&#x42; </b><b/><c><![CDATA[<d>&amp;]]></c> rest </a>\n',
  )
  t.equal(root.name, 'a')
  t.equal(root.text, 'rest')
  t.strictSame(root.children[0], { name: 'b', attributes: { id: '1', x: '"' }, text: 'one & AB', children: [] })
  t.strictSame(
    root.children.map(c => c.name),
    ['b', 'b', 'c'],
  )
  t.equal(find(root, ['c'])?.text, '<d>&amp;')
  t.equal(find(root, ['c', 'd']), undefined)
})

t.test('what is unescaped in an opaque element stays text and does not end it', async t => {
  const root = parse('<a><name>x <b> & y</name><list><huge/></list><z>1</z></a>', ['name', 'list'])
  t.equal(find(root, ['name'])?.text, 'x <b> & y')
  t.equal(find(root, ['z'])?.text, '1')
  t.strictSame(find(root, ['list'])?.children, [])
})

t.test('what is no document is an error that names the source', async t => {
  const bad = {
    '': /it: expected an element at character 0, got the end/,
    'no element': /expected an element at character 0/,
    '<a>': /expected <\/a> at character 3, got the end/,
    '<a></b>': /expected <\/a> at character 3/,
    '<a></ab>': /expected <\/a>/,
    '<a><b></a></b>': /expected <\/b>/,
    '<a/><b/>': /expected the end of the document/,
    '<a/>x': /expected the end of the document/,
    '<a b=c/>': /expected the end of <a/,
    '<a b="1"': /expected the end of <a/,
    '<1/>': /expected an element/,
    '<a><![CDATA[x</a>': /expected \]\]>/,
    '<a><!-- </a>': /expected -->/,
  }
  for (const [xml, message] of Object.entries(bad)) t.throws(() => parse(xml), message, xml)
})

t.test('entities of a document of its own are refused, unknown ones grow to nothing', async t => {
  const bomb = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>'
  t.throws(() => parse(bomb), /it: expected an element at character 0/)
  t.equal(parse('<a>&c; &#0; &#x110000; &amp;lt;</a>').text, '&c; &#0; &#x110000; &lt;')
})

t.test('depth and number of elements are bounded', async t => {
  t.throws(() => parse('<a>'.repeat(33) + '</a>'.repeat(33)), /at most 32 elements in one another/)
  t.ok(parse('<a>'.repeat(32) + '</a>'.repeat(32)))
  t.throws(() => parse(`<a>${'<b/>'.repeat(100_000)}</a>`), /at most 100000 elements/)
})

t.test('whatever it is given, it ends, and fails with its own error alone', async t => {
  const random = seeded(t)
  const parts = [
    '<',
    '</',
    'a',
    'b',
    '>',
    '/>',
    ' x="1"',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<?',
    '?>',
    '&amp;',
    '&',
    '\n',
  ]
  const whole = '<a x="1"><b>1</b><c><!-- --><![CDATA[x]]></c></a>'
  for (let n = 0; n < 5000; n++) {
    const at = random.below(whole.length)
    const xml = random.below(2)
      ? Array.from({ length: random.below(30) }, () => random.pick(parts)).join('')
      : whole.slice(0, at) + random.pick(parts) + whole.slice(at + random.below(4))
    try {
      parse(xml)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('it: expected '))) t.fail(xml, { error })
    }
  }
  for (let at = 0; at < whole.length; at++) t.throws(() => parse(whole.slice(0, at)), /^it: expected/)
})
