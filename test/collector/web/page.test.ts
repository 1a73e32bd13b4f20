import type { Browser, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { peer } from '../../peers.ts'
import { incidentOf } from '../api/an-incident.ts'
import { FakeView } from '../api/fake-view.ts'
import { launch, serve, type Visitor, visit } from './browser.ts'
import { hot, plant } from './plant.ts'

const program = peer(t, 'chromium')
if (program !== undefined) withBrowser(await launch(program))

interface Stage {
  readonly page: Page
  readonly view: FakeView
  readonly url: string
}

function withBrowser(browser: Browser): void {
  t.teardown(() => browser.close())
  t.jobs = 4

  /** A test on a page of the plant, which must end without a complaint and without a request to another host. */
  const scene = (
    name: string,
    act: (t: Test, stage: Stage) => Promise<void>,
    how: Visitor = {},
    { view } = plant(),
  ) => {
    return t.test(name, async t => {
      const { url } = await serve(t, view)
      const { page, complaints, strangers } = await visit(browser, url, how)
      t.teardown(() => page.close())
      await act(t, { page, view, url })
      t.strictSame(complaints, [], 'the console is silent')
      t.strictSame(strangers, [], 'no request leaves for another host')
    })
  }

  scene('the fleet shows every node with its state, and what is simulated as simulated', async (t, { page }) => {
    const rows = page.locator('.fleet tbody tr')
    await rows.nth(3).waitFor()
    const texts = await rows.allInnerTexts()
    t.equal(texts.length, 4)
    t.match(texts[0], /store-3\s+offline[\s\S]*90 min ago/, 'trouble comes first')
    t.match(texts[1], /mill-1\s+up/)
    t.match(texts[3], /press-gw\s+simulated\s+up/)
    await page.locator('svg.spark path[d*="L"]').first().waitFor()
  })

  scene('a node going silent is told at once, without a reload', async (t, { page, view }) => {
    await page.locator('tr', { hasText: 'mill-1' }).locator('.state.up').first().waitFor()
    await page.evaluate(() => Object.assign(window, { sameDocument: true }))
    view.setNode('mill-1', { state: 'silent' })
    await page.locator('tr', { hasText: 'mill-1' }).locator('span.state.silent').waitFor()
    t.equal(await page.locator('[role=status]').innerText(), 'mill-1 is silent')
    t.ok(await page.evaluate(() => 'sameDocument' in window))
  })

  scene('a chart is drawn and gets new points by itself', async (t, { page, view }) => {
    await page.getByRole('link', { name: 'press-gw' }).click()
    const chart = page.locator('[data-metric="press.oil.temperature"]')
    const canvas = chart.locator('canvas')
    await canvas.waitFor()
    const shown = async () => ({ ink: await canvas.evaluate(ink), value: await chart.locator('.now').innerText() })
    const before = await shown()
    t.ok(before.ink.split(',').length > 30, 'there is a line in more than 30 columns of pixels')
    t.match(before.value, /^\d\d(\.\d)?\s°C$/)
    const [oil] = view.series({ node: 'press-gw', name: 'press.oil.temperature', limit: 1 })
    view.append(oil!.id, Date.now(), 88.8)
    await chart.locator('.now', { hasText: '88.8' }).waitFor()
    t.not((await shown()).ink, before.ink, 'the line has changed')
  })

  scene(
    'counters are shown as rates in readable units, long lists are cut and can be filtered',
    async (t, { page }) => {
      await page.getByRole('link', { name: 'mill-1' }).click()
      const legend = page.locator('[data-metric="system.network.io"] .legend')
      await legend.getByText('MiB/s').first().waitFor()
      t.match(await legend.innerText(), /receive\s+[\d.]+\sMiB\/s/)
      const disk = page.locator('[data-metric="system.disk.io"]')
      t.match(await disk.innerText(), /8 of 10 series shown/)
      await page.getByRole('searchbox', { name: 'Filter series' }).fill('nvme9n1')
      await disk.locator('.now', { hasText: 'iB/s' }).waitFor()
      t.equal(await page.locator('figure.plot').count(), 1)
    },
  )

  scene('a finding opens and closes before one’s eyes, and leads to its chart', async (t, { page, view }) => {
    await page.getByRole('link', { name: 'Findings' }).click()
    await page.getByText('Nothing is wrong').waitFor()
    const [oil] = view.series({ node: 'press-gw', name: 'press.oil.temperature', limit: 1 })
    const subject = { node: 'press-gw', series: oil!.series }
    const finding = { ...hot, subject, since: Date.now() - 42_000, evidence: { value: 68.4, above: 65 } }
    view.setFinding(finding)
    const item = page.locator('.finding.open')
    await item.waitFor()
    t.match(await item.innerText(), /error\s+press.oil.temperature is above 65 °C[\s\S]+simulated[\s\S]+68.4/)
    t.match(await page.locator('[role=status]').innerText(), /^New finding on press-gw: press.oil/)
    view.setFinding({ ...finding, until: Date.now() })
    await page.getByText('Nothing is wrong').waitFor()
    t.equal(await page.locator('.finding.closed').count(), 2)
    await page.getByRole('link', { name: 'Show the chart' }).first().click()
    await page.locator('[data-metric="press.oil.temperature"] canvas').waitFor()
    t.equal(await page.locator('figure.plot').count(), 1)
  })

  scene('drives are listed, those at risk first, and one is shown whole with its charts', async (t, { page }) => {
    await page.getByRole('link', { name: 'Disks' }).click()
    const rows = page.locator('.disks tbody tr')
    await rows.nth(3).waitFor()
    const texts = await rows.allInnerTexts()
    t.match(texts[0], /ST4000[\s\S]+critical[\s\S]+packing-2[\s\S]+74\s% rising[\s\S]+152 reallocated sectors/)
    t.match(texts[1], /warning[\s\S]+unknown[\s\S]+it has become read-only; 97 % of its endurance/)
    t.match(await page.locator('.tiles').innerText(), /4[\s\S]+2 scored[\s\S]+1 unknown[\s\S]+critical\s+1/)
    await rows.first().getByRole('link', { name: 'ST4000' }).click()
    await page.getByRole('heading', { name: 'ST4000' }).waitFor()
    t.match(await page.locator('.verdict').innerText(), /74\s%[\s\S]+fails within 30 days with a probability/)
    const counted = page.locator('.counts tbody tr')
    t.match(await counted.first().innerText(), /reallocated sectors\s+152\s+0\s+56\s+80\s+152/)
    const score = page.locator('figure', { hasText: 'hw.physical_disk.failure_probability' })
    await score.locator('canvas').waitFor()
    t.match(await score.locator('.now').innerText(), /^74\s%$/)
    t.match(await page.locator('figure', { hasText: '5 Reallocated_Sector_Ct' }).innerText(), /88/)
  })

  scene('a drive with any name has a page, and a finding of a drive leads to it', async (t, { page, url, view }) => {
    await page.goto(`${url}#/disks`)
    await page.locator('.disks tbody tr').nth(2).getByRole('link').first().click()
    await page.locator('.verdict').waitFor()
    t.match(await page.locator('.head').innerText(), /simulated[\s\S]+asleep/)
    const what = { rule: 'disk-failing', kind: 'disk-failing', severity: 'critical', message: 'sda fails' } as const
    view.setFinding({
      ...what,
      id: 'd',
      subject: { node: 'store-3' },
      since: Date.now(),
      evidence: { disk: 'wwn-0x1' },
    })
    await page.goto(`${url}#/findings`)
    await page.getByRole('link', { name: 'Show the drive' }).click()
    await page.getByRole('heading', { name: 'ST4000' }).waitFor()
  })

  scene(
    'an incident opens, shows its cause, charts and time line, and is called no problem',
    async (t, { page, view }) => {
      await page.getByRole('link', { name: 'Incidents' }).click()
      await page.getByText('No incident is open').waitFor()
      view.setIncident(oilIncident(view))
      const item = page.locator('.finding.open')
      await item.waitFor()
      t.match(
        await item.innerText(),
        /error\s+press.oil.temperature is above 65 °C[\s\S]+press-gw · line A\s+findings: 2/,
      )
      t.equal(await page.locator('.top nav .count').innerText(), '1')
      await item.getByRole('link').first().click()
      await page.getByRole('heading', { name: 'Likely first cause' }).waitFor()
      await page.locator('[data-metric="press.oil.temperature"] canvas').waitFor()
      await page.locator('[data-metric="press.pressure"] canvas').waitFor()
      const moments = await page.locator('.timeline li').allInnerTexts()
      t.match(moments, [
        /error press-gw oil-too-hot press.oil/,
        /warning press-gw pressure-high/,
        /ends press-gw pressure-high/,
      ])
      await page.getByRole('textbox', { name: 'Why (optional)' }).fill('a test')
      await page.getByRole('button', { name: 'Not a problem' }).click()
      await page.getByText(/Called “not a problem” at .* a test/).waitFor()
      t.match(view.feedback(), [{ note: 'a test' }])
      await page.getByRole('button', { name: 'It is a problem after all' }).click()
      await page.getByRole('button', { name: 'Not a problem' }).waitFor()
      t.strictSame(view.feedback(), [])
    },
  )

  scene('a finding shows its incident, and that it is muted or no problem', async (t, { page, view }) => {
    const more = { since: Date.now(), subject: { node: 'press-gw' }, evidence: {} }
    view.setFinding({ ...hot, ...more, id: 'in', incident: '0123456789ab' })
    view.setFinding({ ...hot, ...more, id: 'mute', muted: 'patch-night' })
    view.setFinding({ ...hot, ...more, id: 'low', lowered: '0123456789ab' })
    await page.getByRole('link', { name: 'Findings' }).click()
    await page.locator('.finding .mark', { hasText: 'muted: patch-night' }).waitFor()
    await page.locator('.finding .mark', { hasText: 'not a problem' }).waitFor()
    t.equal(await page.locator('.finding .of-incident').getAttribute('href'), '#/incident/0123456789ab')
  })

  scene('an event arrives in the list of its node', async (t, { page, view }) => {
    await page.getByRole('link', { name: 'press-gw' }).click()
    await page.locator('.events li').nth(1).waitFor()
    const event = { node: 'press-gw', severity: 'warning', attributes: {}, time: Date.now() } as const
    view.addEvent({ ...event, name: 'press.guard.open', body: { door: 'left' } })
    await page.locator('.events li', { hasText: 'press.guard.open' }).getByText('door=left').waitFor()
    t.equal(await page.locator('.events li').count(), 3)
  })

  for (const locale of ['en-US', 'zh-CN']) {
    const narrow = async (t: Test, { page, url, view }: Stage): Promise<void> => {
      view.setFinding({ ...hot, subject: { node: 'press-gw' }, since: Date.now(), evidence: { text: 'x'.repeat(200) } })
      view.setIncident(oilIncident(view, 'x'.repeat(200)))
      for (const place of [...places, '#/node/nobody']) {
        await page.goto(url + place)
        await page.locator('h1, .empty').first().waitFor()
        if (/1$/.test(place) || place.endsWith('gw')) await page.locator('canvas').first().waitFor()
        t.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360, place)
      }
    }
    scene(`nothing is wider than a phone in ${locale}`, narrow, { width: 360, locale, dark: locale === 'zh-CN' })
  }

  const evil = '<img src=x onerror="document.title=1"><script>1</script>'
  const hostile = new FakeView()
  hostile.setNode('mill-1', { attributes: { [evil]: evil } })
  hostile.addSeries('mill-1', evil, evil, 'gauge', { [evil]: evil })
  hostile.setFinding({ ...hot, message: evil, subject: { node: 'mill-1' }, since: 1, evidence: { [evil]: evil } })
  const unharmed = async (t: Test, { page }: Stage): Promise<void> => {
    await page.getByRole('link', { name: 'mill-1' }).click()
    await page.locator('.finding .message').getByText(evil, { exact: true }).waitFor()
    await page.locator('figure.plot').waitFor()
    t.equal(await page.locator('img[src=x]').count(), 0)
  }
  scene('hostile texts are shown, never run', unharmed, {}, { view: hostile })

  t.test('a lost connection is told, and what is shown is current again after it', async t => {
    const { view } = plant()
    const served = await serve(t, view)
    const { page } = await visit(browser, served.url, {})
    await page.locator('.fleet tbody tr').first().waitFor()
    await served.stop()
    await page.locator('.banner', { hasText: 'Connection to the collector lost' }).waitFor()
    t.equal(await page.locator('.fleet tbody tr').count(), 4, 'what was known stays')
    view.setNode('mill-1', { state: 'offline' })
    await served.restart()
    await page.locator('.banner').waitFor({ state: 'detached' })
    await page.locator('tr', { hasText: 'mill-1' }).locator('span.state.offline').waitFor()
    await page.close()
  })

  scene('the language can be switched and stays so', async (t, { page }) => {
    await page.getByLabel('Language').selectOption('zh')
    await page.getByRole('heading', { name: '全部节点' }).waitFor()
    t.equal(await page.evaluate(() => document.documentElement.lang), 'zh-CN')
    await page.reload()
    await page.getByRole('heading', { name: '全部节点' }).waitFor()
  })

  scene('the keyboard reaches the content and everything in it has a name', async (t, { page, url, view }) => {
    view.setIncident(oilIncident(view))
    await page.locator('.fleet tbody tr').first().waitFor()
    await page.keyboard.press('Tab')
    t.equal(await page.locator(':focus').innerText(), 'Skip to the content')
    await page.keyboard.press('Enter')
    t.equal(await page.locator(':focus').getAttribute('id'), 'main')
    await page.keyboard.press('Tab')
    t.equal(await page.locator(':focus').innerText(), 'store-3')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'store-3' }).waitFor()
    t.equal(await page.locator(':focus').getAttribute('id'), 'main', 'the focus follows to the new view')
    for (const place of places) {
      await page.goto(url + place)
      await page.locator('h1').waitFor()
      if (place === '#/disks') await page.locator('.disks').waitFor()
      t.strictSame(await page.evaluate(nameless), [], place)
    }
  })
}

const places = [
  '#/',
  '#/node/mill-1',
  '#/node/press-gw',
  '#/findings',
  '#/incidents',
  '#/incident/0123456789ab',
  '#/disks',
  '#/disk/wwn-0x1',
]

/** Of two findings about the press, the second of which is over. */
function oilIncident(view: FakeView, message: string = hot.message) {
  const since = Date.now() - 60_000
  const about = (name: string) => view.series({ node: 'press-gw', name, limit: 1 })[0]!
  const [oil, pressure] = [about('press.oil.temperature'), about('press.pressure')]
  const first = {
    ...hot,
    message,
    id: 'a',
    subject: { node: 'press-gw', series: oil.series },
    seriesId: oil.id,
    since,
    evidence: {},
  }
  const second = {
    ...first,
    id: 'b',
    rule: 'pressure-high',
    severity: 'warning',
    since: since + 4000,
    until: since + 9000,
  } as const
  const subject = { node: 'press-gw', series: pressure.series }
  return incidentOf([first, { ...second, subject, seriesId: pressure.id }], {
    place: { line: 'A' },
    common: 'oil-too-hot',
    charts: [oil, pressure],
    to: Date.now(),
  })
}

/** Runs in the page: for each column of pixels that has ink, the height of its highest blue one. */
function ink(canvas: HTMLCanvasElement | SVGElement | HTMLElement): string {
  const { width, height } = canvas as HTMLCanvasElement
  const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!
  copy.drawImage(canvas as HTMLCanvasElement, 0, 0)
  const { data } = copy.getImageData(0, 0, width, height)
  const found: string[] = []
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      const at = (y * width + x) * 4
      if (data[at + 3]! > 128 && data[at + 2]! - data[at]! > 60) {
        found.push(`${x}:${y}`)
        break
      }
    }
  }
  return found.join()
}

/** Runs in the page: controls, links and pictures that a screen reader could not name. */
function nameless(): string[] {
  const named = (e: Element): boolean =>
    [e.textContent, e.getAttribute('aria-label'), e.getAttribute('alt')].some(text => text?.trim()) ||
    e.querySelector('img[alt]:not([alt=""])') !== null
  const all = document.querySelectorAll('a, button, input, select, summary, img, [role=img], nav')
  return [...all].filter(e => !named(e)).map(e => e.outerHTML)
}
