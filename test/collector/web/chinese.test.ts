import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { texts } from '../../../collector/web/texts.ts'
import { counts } from '../../../judge/disks/reading.ts'
import { peer } from '../../peers.ts'
import { incidentOf } from '../api/an-incident.ts'
import { disk } from '../api/disks.ts'
import { FakeView } from '../api/fake-view.ts'
import { launch, serve, visit } from './browser.ts'
import { hot, plant } from './plant.ts'

const zh = { locale: 'zh-CN' } as const

t.test('every text is in Chinese, with the placeholders of the English one', async t => {
  const names = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(m => m[1]!).sort()
  for (const [key, text] of Object.entries(texts.en)) {
    const chinese = texts.zh[key as keyof typeof texts.zh]
    t.match(chinese, /[\p{Script=Han}：]/u, key)
    t.strictSame(names(chinese), names(text), key)
  }
})

const program = peer(t, 'chromium')
if (program !== undefined) t.test('every text is to be seen in Chinese', t => everyText(t, program))

async function everyText(t: Test, program: string): Promise<void> {
  const browser = await launch(program)
  t.teardown(() => browser.close())
  const seen: string[] = []
  const look = async (page: Page): Promise<void> => void seen.push(...(await page.evaluate(allTexts)))
  const see = async (page: Page, key: keyof typeof texts.zh): Promise<void> => {
    const deadline = Date.now() + 15_000
    for (await look(page); !isSeen(seen, texts.zh[key]); await look(page)) {
      if (Date.now() > deadline) throw new Error(`${key} (${texts.zh[key]}) did not appear`)
      await page.waitForTimeout(50)
    }
  }
  const seeIncidents = async (page: Page, url: string, view: FakeView): Promise<void> => {
    const finding = { ...hot, id: 'f', subject: { node: 'mill-1' }, since: Date.now(), until: Date.now(), evidence: {} }
    const one = incidentOf([{ ...finding, lowered: 'f' }], { more: true })
    await page.goto(`${url}#/incident/${one.id}`)
    for (const [ground, key] of [
      ['only', 'causeOnly'],
      ['upstream', 'causeUpstream'],
      ['first', 'causeFirst'],
      ['severe', 'causeSevere'],
      ['together', 'causeTogether'],
    ] as const) {
      view.setIncident({
        ...one,
        cause: { finding, ground, after: 3000, reason: '' },
        common: ground === 'only' ? '*' : 'hot',
      })
      if (ground === 'only') await page.reload()
      await see(page, key)
    }
    for (const key of ['afterFirst', 'commonCause', 'findingsIn', 'openIn', 'likelyCause', 'timeline', 'ends'] as const)
      await see(page, key)
    for (const key of ['moreFindings', 'note', 'noProblemMeans', 'sayNoProblem', 'incident'] as const)
      await see(page, key)
    view.notAProblem({ incident: one.id }, '')
    for (const key of ['saidNoProblem', 'takeBack', 'notAProblem'] as const) await see(page, key)
    const { cause: _, ...causeless } = one
    view.setIncident({ ...causeless, hosts: 3, into: 'ffffffffffff' })
    await see(page, 'partOf')
    view.setIncident({ ...causeless, hosts: 3 })
    await page.goto(`${url}#/incidents`)
    for (const key of ['noCause', 'hosts', 'incidents'] as const) await see(page, key)
  }
  await t.test('an empty collector', async t => {
    const { url } = await serve(t, new FakeView())
    const { page } = await visit(browser, url, zh)
    await see(page, 'noNodes')
    await page.goto(`${url}#/findings`)
    await see(page, 'nothingWrong')
    await see(page, 'noneClosed')
    await page.goto(`${url}#/disks`)
    for (const key of ['noDisks', 'noDisksDo'] as const) await see(page, key)
    await page.goto(`${url}#/disk/none`)
    await see(page, 'noSuchDisk')
    await page.goto(`${url}#/incidents`)
    await see(page, 'noIncident')
    await page.goto(`${url}#/nowhere`)
    await see(page, 'missing')
    await page.goto(`${url}#/node/nobody`)
    await see(page, 'noSuchNode')
  })
  await t.test('a plant', async t => {
    const { view } = plant()
    const now = Date.now()
    view.setNode('saw-4', { lastSeen: now - 9e8, state: 'silent' })
    view.setNode('saw-5', { lastSeen: now - 9e6 })
    view.setNode('saw-6', { lastSeen: now + 60_000 })
    view.addSeries('mill-1', 'system.cpu.frequency', 'Hz', 'gauge')
    for (const severity of ['info', 'warning', 'error', 'critical'] as const)
      view.setFinding({ ...hot, id: severity, severity, subject: { node: 'mill-1' }, since: now - 1000, evidence: {} })
    const served = await serve(t, view)
    const { page } = await visit(browser, served.url, zh)
    for (const key of ['simulated', 'justNow', 'activityOf', 'days', 'hours', 'minutes', 'seconds'] as const)
      await see(page, key)
    view.setNode('mill-1', { state: 'silent' })
    await see(page, 'nodeIs')
    const finding = { ...hot, id: 'new', subject: { node: 'mill-1' }, since: now, evidence: {} }
    view.setFinding(finding)
    await see(page, 'findingOpened')
    view.setFinding({ ...finding, until: now + 1000 })
    await see(page, 'findingClosed')
    await seeIncidents(page, served.url, view)
    view.setFinding({ ...finding, id: 'muted', muted: 'patch', incident: '0123456789ab' })
    await page.goto(`${served.url}#/findings`)
    await see(page, 'muted')
    await page.goto(`${served.url}#/findings?node=press-gw`)
    for (const key of ['onlyNode', 'lasted', 'showChart'] as const) await see(page, key)
    await page.goto(`${served.url}#/findings`)
    for (const key of ['critical', 'warning', 'info', 'error', 'forNow'] as const) await see(page, key)
    view.setFinding({
      ...hot,
      kind: 'disk-worn',
      id: 'disk',
      subject: { node: 'mill-1' },
      since: now,
      evidence: { disk: 'a' },
    })
    await see(page, 'showDisk')
    view.addDisk(disk('wwn-0x5', now, { risk: 'watch', probability: 0.01, trend: 'falling' }))
    for (let n = 0; n < 200; n++) view.addDisk(disk(`wwn-0x6${n}`, now, { risk: null, probability: 0.001 }))
    await page.goto(`${served.url}#/disks`)
    for (const key of ['rising', 'falling', 'watch', 'shownDisks'] as const) await see(page, key)
    const every = Object.fromEntries(counts.map(name => [name, 1]))
    view.addDisk(disk('all', now, { risk: null, probability: 0.1, counts: every, gone: now - 9e8, asleep: true }))
    await page.goto(`${served.url}#/disk/all`)
    for (const key of ['goneSince', 'asleep', 'unreadable', 'last30'] as const) await see(page, key)
    await page.goto(`${served.url}#/node/mill-1`)
    for (const key of ['chartOf', 'shown', 'noData', 'noEvents', 'groupSelf', 'findingsOf'] as const)
      await see(page, key)
    await page.goto(`${served.url}#/node/mill-1?filter=nothing`)
    await see(page, 'noMatch')
    await page.goto(`${served.url}#/node/press-gw`)
    await see(page, 'groupDevices')
    await page.goto(`${served.url}#/node/store-3`)
    await see(page, 'noSeries')
    await page.route('**/api/series?*', route => route.fulfill({ status: 500, json: { error: 'disk full' } }))
    await page.goto(`${served.url}#/node/packing-2`)
    await see(page, 'failed')
    await served.stop()
    await see(page, 'lost')
    await see(page, 'lostSaid')
    await page.route('**/api/nodes', async route => setTimeout(() => route.continue(), 300))
    await served.restart()
    await see(page, 'regained')
    await page.reload()
    await see(page, 'loading')
    await look(page)
  })
  const missing = Object.entries(texts.zh).filter(([, text]) => !isSeen(seen, text))
  t.strictSame(missing, [])
}

/** A text without values must stand alone, one with values may be part of another, anything in the values' places. */
function isSeen(seen: readonly string[], text: string): boolean {
  const parts = text.split(/\{\w+\}/).map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const pattern = new RegExp(parts.length > 1 ? parts.join('.+') : `(^|\\s)${parts[0]}($|\\s)`)
  return seen.some(one => pattern.test(one))
}

/** Runs in the page: the text of every element and of every attribute that is read or shown. */
function allTexts(): string[] {
  const attributes = ['aria-label', 'placeholder', 'title', 'data-head'] as const
  return [...document.body.querySelectorAll('*')].flatMap(element => {
    const own = attributes.map(name => element.getAttribute(name) ?? '')
    const nodes = [...element.childNodes].filter(node => node.nodeType === 3).map(node => node.textContent ?? '')
    return [...own, ...nodes, nodes.join('')].filter(text => text.trim() !== '')
  })
}
