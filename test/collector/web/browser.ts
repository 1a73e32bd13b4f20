// The built page, a real server and a real Chromium.

import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import { type Browser, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'
import { registerApi } from '../../../collector/api/server.ts'
import { registerPage } from '../../../collector/api/static.ts'
import type { View } from '../../../collector/api/view.ts'
import { buildWeb } from '../../../packaging/build-web.ts'

export interface Served {
  readonly url: string
  stop(): Promise<void>
  /** On the same port again. */
  restart(): Promise<void>
}

export async function serve(t: Test, view: View): Promise<Served> {
  const folder = `${t.testdir()}/web`
  await buildWeb(folder)
  const start = async (port: number) => {
    const app = fastify({ forceCloseConnections: true })
    registerApi(app, view)
    registerPage(app, folder)
    await app.listen({ host: '127.0.0.1', port })
    return app
  }
  let app = await start(0)
  t.teardown(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const restart = async (): Promise<void> => {
    app = await start(port)
  }
  return { url: `http://127.0.0.1:${port}/`, stop: () => app.close(), restart }
}

export function launch(executablePath: string): Promise<Browser> {
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run']
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', ...quiet] })
}

export interface Visit {
  readonly page: Page
  /** What the page complained of. */
  readonly complaints: string[]
  /** Requests to any other host. */
  readonly strangers: string[]
}

export interface Visitor {
  readonly width?: number
  readonly locale?: string
  readonly dark?: boolean
}

export async function visit(browser: Browser, url: string, { width = 1280, locale = 'en-US', dark = false }: Visitor) {
  const colorScheme = dark ? 'dark' : 'light'
  const page = await browser.newPage({ viewport: { width, height: 900 }, locale, colorScheme })
  const visited: Visit = { page, complaints: [], strangers: [] }
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') visited.complaints.push(message.text())
  })
  page.on('pageerror', error => visited.complaints.push(String(error)))
  page.on('request', request => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:')) visited.strangers.push(request.url())
  })
  page.setDefaultTimeout(15_000)
  await page.goto(url)
  return visited
}
