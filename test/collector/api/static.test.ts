import { writeFileSync } from 'node:fs'
import fastify from 'fastify'
import t from 'tap'
import { registerPage } from '../../../collector/api/static.ts'
import { buildWeb } from '../../../packaging/build-web.ts'

t.test('the built page is served whole, with a tag that saves sending it again', async t => {
  const folder = t.testdir({})
  await buildWeb(folder)
  writeFileSync(`${folder}/secret.txt`, 'not part of the page')
  const app = fastify()
  registerPage(app, folder)
  const index = await app.inject('/')
  t.match(index.headers['content-type'], 'text/html')
  t.match(index.headers['content-security-policy'], /default-src 'none'/)
  const named = [...index.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(m => m[1]!)
  t.strictSame(named.sort(), ['/app.css', '/app.js', '/icon.svg'], 'the page names its own files only')
  for (const url of ['/', ...named]) {
    const { statusCode, headers } = await app.inject(url)
    t.equal(statusCode, 200, url)
    const again = await app.inject({ url, headers: { 'if-none-match': String(headers.etag) } })
    t.match(again, { statusCode: 304, body: '' }, url)
  }
  for (const url of ['/secret.txt', '/../package.json', '/%2e%2e/package.json', '/app.js.map'])
    t.equal((await app.inject(url)).statusCode, 404, url)
  t.equal((await app.inject({ url: '/', headers: { host: 'evil.example' } })).statusCode, 421)
})

t.test('a page that was not built is an error at the start that says what to do', async t => {
  t.throws(() => registerPage(fastify(), t.testdir({})), { message: /npm run build makes it.*index\.html/ })
})
