// Builds the page: four files that name no other host.

import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const source = fileURLToPath(new URL('../collector/web/', import.meta.url))

/** Writes index.html, icon.svg, app.js and app.css into `outDir`. Rejects where the page does not compile. */
export async function buildWeb(outDir: string): Promise<void> {
  await mkdir(outDir, { recursive: true })
  const bundle = build({
    entryPoints: ['main.tsx', 'app.css'].map(file => ({ in: join(source, file), out: 'app' })),
    outdir: outDir,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2023',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'silent',
  })
  const copies = ['index.html', 'icon.svg'].map(file => copyFile(join(source, file), join(outDir, file)))
  await Promise.all([bundle, ...copies])
}

if (import.meta.main) await buildWeb(process.argv[2] ?? 'dist/web')
