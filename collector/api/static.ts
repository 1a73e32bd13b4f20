// The page's files, read once into memory; nothing outside the built folder can be asked for.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { guard } from './guard.ts'

const files = [
  { path: '/', file: 'index.html', type: 'text/html; charset=utf-8' },
  { path: '/app.js', file: 'app.js', type: 'text/javascript; charset=utf-8' },
  { path: '/app.css', file: 'app.css', type: 'text/css; charset=utf-8' },
  { path: '/icon.svg', file: 'icon.svg', type: 'image/svg+xml' },
] as const

/** Serves the page from `folder`, where `buildWeb` put it. Throws where a file is missing. */
export function registerPage(app: FastifyInstance, folder: string): void {
  const pages = files.map(page => ({ ...page, body: read(join(folder, page.file)) }))
  app.register(async scope => {
    guard(scope)
    for (const { path, type, body } of pages) {
      const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
      scope.get(path, (request, reply) => {
        reply.headers({ etag, 'cache-control': 'no-cache' })
        if (request.headers['if-none-match'] === etag) return reply.code(304).send()
        return reply.type(type).send(body)
      })
    }
  })
}

function read(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new Error(`the page is not built (npm run build makes it): cannot read ${path}`, { cause })
  }
}
