// A sender that nobody here wrote: `mllp_send` of python3-hl7.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { peer } from '../../peers.ts'
import { oru, ward } from './rig.ts'

t.test('mllp_send is understood, and understands the acknowledgements', async t => {
  if (peer(t, 'python-hl7') === undefined) return
  const here = await ward(t)
  const messages = [oru(1), oru(2, 'x', '|||AL|NE'), oru(1), oru(3).replace('|2.6', '|3.0')]
  const cases = {
    framed: messages.map(text => `\x0b${text}\x1c\r`).join(''),
    loose: messages.map(text => text.replaceAll('\r', '\r\n')).join(''),
  }
  for (const [form, content] of Object.entries(cases)) {
    const file = join(here.folder, `../${form}.hl7`)
    writeFileSync(file, content)
    const options = form === 'loose' ? ['--loose'] : []
    const child = spawn('mllp_send', [...options, '--port', `${here.port}`, '--file', file, '127.0.0.1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [out] = await Promise.all([child.stdout.toArray(), once(child, 'exit')])
    const answers = Buffer.concat(out)
      .toString()
      .match(/MSA\|\w\w\|\d/g)
    t.strictSame(answers, ['MSA|AA|1', 'MSA|CA|2', 'MSA|AA|1', 'MSA|AR|3'], form)
  }
})
