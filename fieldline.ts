#!/usr/bin/env node
// The one command. It only dispatches: each subcommand and its text load when they are called for.

import { Usage } from './cli/arguments.ts'
import { type Command, print, status } from './cli/command.ts'
import { reason } from './core/errors.ts'
import { leave } from './core/leave.ts'
import { nearest } from './core/shape.ts'

const commands: Readonly<Record<string, () => Promise<Command>>> = {
  agent: async () => (await import('./cli/agent.ts')).agent,
  gateway: async () => (await import('./cli/gateway.ts')).gateway,
  collector: async () => (await import('./cli/collector.ts')).collector,
  check: async () => (await import('./cli/check.ts')).check,
  test: async () => (await import('./cli/test.ts')).test,
  browse: async () => (await import('./cli/browse.ts')).browse,
  inventory: async () => (await import('./cli/inventory.ts')).inventory,
  order: async () => (await import('./cli/order.ts')).order,
  hl7: async () => (await import('./cli/hl7.ts')).hl7,
  probe: async () => (await import('./cli/probe.ts')).probe,
  disks: async () => (await import('./cli/disks.ts')).disks,
  incidents: async () => (await import('./cli/incidents.ts')).incidents,
  status: async () => (await import('./cli/status.ts')).status,
  'smart-reports': async () => (await import('./cli/smart-reports.ts')).smartReports,
  demo: async () => (await import('./cli/demo.ts')).demo,
}

// A reader such as `head` that has seen enough is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(status.ok)
})

const [name = '--help', ...args] = process.argv.slice(2)
const ended = await main()
// What a pipe has not taken yet would be lost: a daemon reads its configuration from one.
if (process.stdout.writableLength > 0) await new Promise(resolve => process.stdout.write('', resolve))
leave(ended)

async function main(): Promise<number> {
  try {
    if (name === '--version') return await sayVersion()
    if (name === '--help' || name === '-h' || name === 'help') return await sayHelp(args[0] ?? 'fieldline')
    const load = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (load === undefined) throw new Usage(await unknownCommand())
    if (args.includes('--help') || args.includes('-h')) return await sayHelp(name)
    return await (await load()).run(args)
  } catch (error) {
    return await sayError(error)
  }
}

async function sayVersion(): Promise<number> {
  print(`fieldline ${(await import('./core/version.ts')).version}`)
  return status.ok
}

async function sayHelp(topic: string): Promise<number> {
  const { texts } = await import('./cli/texts.ts')
  const { help } = texts(process.env)
  if (!Object.hasOwn(help, topic)) throw new Usage(await unknownCommand(topic))
  print(help[topic as keyof typeof help])
  return status.ok
}

async function unknownCommand(word = name): Promise<string> {
  const { texts } = await import('./cli/texts.ts')
  const { said } = texts(process.env)
  const near = nearest(word, Object.keys(commands))
  const names = Object.keys(commands).join(', ')
  return near === undefined ? said.unknownCommand(word, names) : said.unknownCommandNear(word, near)
}

async function sayError(error: unknown): Promise<number> {
  const usage = error instanceof Usage
  const { texts } = await import('./cli/texts.ts')
  const where = usage && Object.hasOwn(commands, name) ? `fieldline ${name} --help` : 'fieldline --help'
  process.stderr.write(
    `${usage ? error.message : reason(error)}\n${usage ? `${texts(process.env).said.seeHelp(where)}\n` : ''}`,
  )
  return usage ? status.usage : status.failed
}
