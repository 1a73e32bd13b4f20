// Builds dist/: the command as a few minified modules that load when called for, the page, and two native files.
// dist/ then runs alone with Node 24: no node_modules. Direct TypeScript costs seven times the start-up CPU.

import { existsSync } from 'node:fs'
import { chmod, copyFile, cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build as bundle, type Plugin } from 'esbuild'
import { buildWeb } from './build-web.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * What packages load for browsers, proxies, serial lines, logging and features that nothing here calls, and what stands in
 * its place: each costs memory.
 */
const unused: Readonly<Record<string, string>> = {
  ws: 'class {}',
  socks: 'class {}',
  'worker-timers': 'class {}',
  // Of modbus-serial, which here only serves simulators over TCP.
  serialport: 'class {}',
  '@serialport/parser-delimiter': 'class {}',
  // Of the serial port's binding: lists ports.
  '@serialport/parser-readline': '{ ReadlineParser: class {} }',
  debug: '() => () => {}',
  'lru-cache': '{ LRUCache: class {} }',
  // Of mqtt: its own sockets, ours are handed to it.
  './lib/connect': '{}',
  // Of node-opcua-client: certificates in folders of its own, and locks on them; gateway/opcua/trust.ts has ours.
  '@ster5/global-mutex': '{}',
  'node-opcua-pki': '{ CertificateManager: class {} }',
  // Of prom-client: what is measured and sent without being asked.
  './lib/defaultMetrics': '{}',
  './lib/cluster': '{}',
  './lib/pushgateway': '{}',
}

const stubs: Plugin = {
  name: 'stubs',
  setup(build) {
    const filter = new RegExp(`^(${Object.keys(unused).join('|')})$`)
    build.onResolve({ filter }, ({ path }) => ({ path, namespace: 'stub' }))
    build.onLoad({ filter: /./, namespace: 'stub' }, ({ path }) => ({ contents: `module.exports = ${unused[path]}` }))
  },
}

/** better-sqlite3 by the entry that knows its one prebuilt file, instead of the one that searches for it. */
const sqlite: Plugin = {
  name: 'sqlite',
  setup(build) {
    const path = join(root, `node_modules/better-sqlite3/lib/linux-${process.arch}.js`)
    build.onResolve({ filter: /^better-sqlite3$/ }, () => ({ path }))
  },
}

/** The serial port's binding by the one prebuilt file of this machine, instead of the search for it. */
const serial: Plugin = {
  name: 'serial',
  setup(build) {
    const cpu = process.arch === 'arm64' ? 'armv8.' : ''
    const folder = `node_modules/@serialport/bindings-cpp/prebuilds/linux-${process.arch}`
    const file = JSON.stringify(join(root, folder, `@serialport+bindings-cpp.${cpu}glibc.node`))
    build.onResolve({ filter: /^\.\/serialport-bindings$/ }, ({ path }) => ({ path, namespace: 'serial' }))
    build.onLoad({ filter: /./, namespace: 'serial' }, () => ({
      contents: `exports.binding = require(${file})`,
      resolveDir: root,
    }))
  },
}

/**
 * Node's own modules without their ESM facade: that one reads every lazy export when it is made, and so loads undici,
 * http2, worker threads and the like into an agent that uses none of them. What ESM imports becomes one constant a name;
 * unused ones fall away.
 */
const builtins: Plugin = {
  name: 'builtins',
  setup(build) {
    build.onResolve({ filter: /./ }, ({ path, kind }) => {
      // A copy of Node's streams for older Nodes.
      const name = path === 'readable-stream' ? 'stream' : path
      if (!isBuiltin(name)) return undefined
      return { path: name, namespace: kind === 'import-statement' ? 'builtin' : 'builtin-cjs', sideEffects: false }
    })
    build.onLoad({ filter: /./, namespace: 'builtin-cjs' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
    }))
    build.onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({ contents: builtinModule(path) }))
  },
}

function builtinModule(path: string): string {
  const names = Object.keys(process.getBuiltinModule(path) as object).filter(isIdentifier)
  return [
    `const all = /* @__PURE__ */ process.getBuiltinModule(${JSON.stringify(path)})`,
    'const take_ = name => all[name]',
    'export default all',
    ...names.map(name => `export const ${name} = /* @__PURE__ */ take_('${name}')`),
  ].join('\n')
}

function isIdentifier(name: string): boolean {
  return /^[A-Za-z_$][\w$]*$/.test(name) && name !== 'default'
}

/**
 * A CommonJS package behind `await import()` would come out of the bundle with a default export alone. This gives it the
 * names that Node itself gives it; a package that has no default export stays without.
 */
const named: Plugin = {
  name: 'named',
  setup(build) {
    build.onResolve({ filter: /^[a-z@]/ }, ({ path, kind, namespace, resolveDir }) =>
      kind === 'dynamic-import' && namespace === 'file'
        ? { path, namespace: 'named', pluginData: resolveDir }
        : undefined,
    )
    build.onLoad({ filter: /./, namespace: 'named' }, async ({ path, pluginData }) => {
      const all = Object.keys(await import(path))
      const names = all.filter(isIdentifier)
      const from = JSON.stringify(path)
      const main = all.includes('default') ? `export { default } from ${from}` : ''
      return {
        contents: `import * as all from ${from}\n${main}\nexport const { ${names} } = all`,
        resolveDir: pluginData,
      }
    })
  },
}

/** Writes `outDir`/fieldline.js and what it loads, for this machine's processor and glibc. Clears an earlier build. */
export async function build(outDir: string): Promise<void> {
  if (existsSync(join(outDir, 'fieldline.js'))) await rm(outDir, { recursive: true })
  await mkdir(outDir, { recursive: true })
  await bundle({
    absWorkingDir: root,
    entryPoints: { main: 'fieldline.ts' },
    outdir: resolve(outDir),
    bundle: true,
    splitting: true,
    minifyWhitespace: true,
    minifySyntax: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    loader: { '.node': 'copy' },
    assetNames: '[name]',
    chunkNames: '[name]-[hash]',
    outExtension: { '.js': '.mjs' },
    plugins: [stubs, builtins, sqlite, serial, named],
    banner: { js: "const require=process.getBuiltinModule('module').createRequire(import.meta.url);" },
    legalComments: 'linked',
    logLevel: 'warning',
  })
  await copyFile(join(root, 'packaging/launch.js'), join(outDir, 'fieldline.js'))
  await chmod(join(outDir, 'fieldline.js'), 0o755)
  await writeFile(join(outDir, 'package.json'), '{ "type": "commonjs" }\n')
  await buildWeb(join(outDir, 'web'))
  await cp(join(root, 'gateway/modbus/templates'), join(outDir, 'templates'), { recursive: true })
  await copyFile(join(root, 'LICENSE'), join(outDir, 'LICENSE'))
}

if (import.meta.main) await build('dist')
