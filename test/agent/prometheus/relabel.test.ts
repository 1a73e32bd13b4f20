// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how Go names a group in a replacement

import t from 'tap'
import { relabel, rules } from '../../../agent/prometheus/relabel.ts'
import { Place } from '../../../core/shape.ts'

type Labels = Readonly<Record<string, string>>

function relabelled(plain: unknown, labels: Labels): Labels | undefined {
  const place = new Place()
  const read = rules.read(plain, place)
  if (place.problems.length > 0) throw new Error(JSON.stringify(place.problems))
  const all = new Map(Object.entries(labels))
  return relabel(read, all) ? Object.fromEntries(all) : undefined
}

const abc = { a: 'foo', b: 'bar', c: 'baz' }

/** The first cases are those of Prometheus' own tests, model/relabel/relabel_test.go. */
const cases: Readonly<Record<string, readonly [object[], Labels, Labels | undefined]>> = {
  'replace with a group': [
    [{ source_labels: ['a'], target_label: 'd', regex: 'f(.*)', replacement: 'ch${1}-ch${1}' }],
    abc,
    { ...abc, d: 'choo-choo' },
  ],
  'the second rule sees what the first did': [
    [
      { source_labels: ['a', 'b'], target_label: 'a', regex: 'f(.*);(.*)r', replacement: 'b${1}${2}m' },
      { source_labels: ['c', 'a'], target_label: 'd', regex: '(b).*b(.*)ba(.*)', replacement: '$1$2$2$3' },
    ],
    abc,
    { a: 'boobam', b: 'bar', c: 'baz', d: 'boooom' },
  ],
  'a drop ends it': [
    [
      { source_labels: ['a'], regex: '.*o.*', action: 'drop' },
      { source_labels: ['a'], target_label: 'd', regex: 'f(.*)', replacement: 'ch$1-ch$1' },
    ],
    abc,
    undefined,
  ],
  'a drop of something else does not': [[{ source_labels: ['a'], regex: 'oo', action: 'drop' }], abc, abc],
  'keep what matches as a whole': [[{ source_labels: ['a'], regex: 'f', action: 'keep' }], abc, undefined],
  'keep what matches': [[{ source_labels: ['a'], regex: 'f.*', action: 'keep' }], abc, abc],
  'no match changes nothing': [
    [{ source_labels: ['a'], target_label: 'b', regex: 'nomatch', replacement: 'x' }],
    abc,
    abc,
  ],
  'an absent source is empty': [
    [{ source_labels: ['none'], target_label: 'd', regex: '', replacement: 'x' }],
    abc,
    { ...abc, d: 'x' },
  ],
  'an empty replacement takes the label away': [
    [{ source_labels: ['a'], target_label: 'a', regex: 'foo', replacement: '' }],
    abc,
    { b: 'bar', c: 'baz' },
  ],
  'without source labels it always matches': [
    [{ target_label: 'd', replacement: 'static' }],
    abc,
    { ...abc, d: 'static' },
  ],
  'another separator': [
    [{ source_labels: ['a', 'b'], separator: '', target_label: 'd' }],
    abc,
    { ...abc, d: 'foobar' },
  ],
  'the target from a group': [
    [{ source_labels: ['a'], target_label: '${1}', regex: 'some-([^-]+)-([^,]+)', replacement: '${2}' }],
    { a: 'some-name-value' },
    { a: 'some-name-value', name: 'value' },
  ],
  'a target that is no label': [
    [{ source_labels: ['a'], target_label: '${3}', regex: 'some-([^-]+)-([^,]+)', replacement: '${2}' }],
    { a: 'some-name-value' },
    { a: 'some-name-value' },
  ],
  labelmap: [
    [{ regex: '(meta.*)', replacement: 'x_${1}', action: 'labelmap' }],
    { a: 'foo', meta_b: 'bar' },
    { a: 'foo', meta_b: 'bar', x_meta_b: 'bar' },
  ],
  labeldrop: [[{ regex: 'a|b', action: 'labeldrop' }], abc, { c: 'baz' }],
  labelkeep: [[{ regex: 'a|b', action: 'labelkeep' }], abc, { a: 'foo', b: 'bar' }],
  'the longest name after a dollar counts': [
    [{ source_labels: ['a'], target_label: 'd', regex: '(?P<x>f)(.*)', replacement: '$x-$1x-${1}x-$$' }],
    abc,
    { ...abc, d: 'f--fx-$' },
  ],
  'a metric renamed': [
    [{ source_labels: ['__name__'], target_label: '__name__', regex: 'old_(.*)', replacement: 'new_$1' }],
    { __name__: 'old_x' },
    { __name__: 'new_x' },
  ],
}

for (const [what, [plain, labels, wanted]] of Object.entries(cases)) {
  t.test(what, async t => t.strictSame(relabelled(plain, labels), wanted))
}

const wrong: Readonly<Record<string, readonly [object, RegExp]>> = {
  'replace without a target': [{ source_labels: ['a'] }, /replace needs a target_label/],
  'keep without a source': [{ action: 'keep' }, /keep needs source_labels/],
  'an unknown action': [{ action: 'hashmod', target_label: 'a' }, /one of replace, keep/],
  'an expression that is none': [{ target_label: 'a', regex: '(' }, /expected a regular expression .* not closed/],
  'an unknown key': [{ target_label: 'a', sourcelabels: [] }, /did you mean source_labels/],
}

for (const [what, [plain, message]] of Object.entries(wrong)) {
  t.test(`${what} is a mistake in the configuration`, async t => {
    const place = new Place()
    rules.read([plain], place)
    t.match(
      place.problems.map(p => p.message),
      [message],
    )
  })
}
