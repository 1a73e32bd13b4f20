import t from 'tap'
import { parts } from '../../core/parts.ts'
import { Place } from '../../core/shape.ts'
import { detectors, usualDetectors } from '../../judge/index.ts'

t.test('what is judged where nothing is configured is a valid configuration', t => {
  const place = new Place()
  t.equal(parts(detectors, 'detector').read(usualDetectors, place).length, usualDetectors.length)
  t.same(place.problems, [])
  t.end()
})

t.test('every detector is listed once', t => {
  t.equal(new Set(detectors.map(d => d.name)).size, detectors.length)
  t.end()
})
