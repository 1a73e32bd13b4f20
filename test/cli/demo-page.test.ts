// The whole road into a real browser: this host's samples, committed, queried and drawn.

import t from 'tap'
import { buildWeb } from '../../packaging/build-web.ts'
import { launch, visit } from '../collector/web/browser.ts'
import { peer } from '../peers.ts'
import { demo } from './demo-child.ts'

t.before(() => buildWeb('dist/web'))

t.test('the demo shows this host and the simulated PLC in a browser, live', async t => {
  const executable = peer(t, 'chromium')
  if (executable === undefined) return
  const { child, line, ended } = demo(t, t.testdir())
  const url = /http:\S+/.exec(await line(/The page is at/))![0]
  const browser = await launch(executable)
  t.teardown(() => browser.close())
  const { page, complaints, strangers } = await visit(browser, url, {})
  const press = page.getByRole('row', { name: /simulated-press/ })
  await press.getByText('simulated', { exact: true }).waitFor()
  await page.getByRole('link', { name: 'simulated-press' }).click()
  await page.getByText('press.oil.temperature').first().waitFor()
  await page.locator('canvas').nth(6).waitFor() // each of the seven registers has its chart
  t.match(await page.title(), /Fieldline/)
  t.strictSame([complaints, strangers], [[], []])
  child.kill('SIGINT')
  t.equal(await ended, 0)
})
