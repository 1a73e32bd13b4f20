// What ptp4l answers to `pmc`, its management client (IEEE 1588-2019 clause 15): blocks of
//   	82ec31.fffe.35cefd-0 seq 1 RESPONSE MANAGEMENT TIME_STATUS_NP
//   		master_offset              439
// one for each data set and port.

export interface PtpStatus {
  /** s, clock minus master; undefined while nothing was measured. */
  readonly offset: number | undefined
  /** s, undefined while nothing was measured. */
  readonly pathDelay: number | undefined
  readonly stepsRemoved: number | undefined
  readonly grandmaster: string | undefined
  readonly grandmasterPresent: boolean | undefined
  readonly ports: readonly { readonly port: number; readonly state: string }[]
}

const dataSets = ['CURRENT_DATA_SET', 'TIME_STATUS_NP', 'PORT_DATA_SET']
export const questions = dataSets.map(name => `GET ${name}`)

interface Block {
  readonly identity: string
  readonly name: string
  readonly values: Map<string, string>
}

const billion = 1e9
const mostPorts = 64

/** Undefined where no ptp4l answers. @throws Error that names the command. */
export function parsePmc(stdout: Buffer): PtpStatus | undefined {
  const blocks = parseBlocks(stdout.toString('utf8'))
  if (blocks.length === 0) return undefined
  const of = (name: string): Block | undefined => blocks.find(block => block.name === name)
  const [current, time] = [of('CURRENT_DATA_SET'), of('TIME_STATUS_NP')]
  const ports = blocks
    .filter(block => block.name === 'PORT_DATA_SET')
    .slice(0, mostPorts)
    .map(portOf)
  const pathDelay = number(current, 'meanPathDelay')
  const measured = ports.some(({ state }) => measures(state, pathDelay))
  const present = time?.values.get('gmPresent')
  return {
    offset: measured ? seconds(number(time, 'master_offset') ?? number(current, 'offsetFromMaster')) : undefined,
    pathDelay: measured ? seconds(pathDelay) : undefined,
    stepsRemoved: number(current, 'stepsRemoved'),
    grandmaster: present === 'true' ? time?.values.get('gmIdentity') : undefined,
    grandmasterPresent: present === undefined ? undefined : present === 'true',
    ports,
  }
}

/** A clock that follows nobody shows an offset of 0; one that begins to follow, too, until it knows the delay. */
function measures(state: string, pathDelay: number | undefined): boolean {
  return state === 'SLAVE' || state === 'TIME_RECEIVER' || (state === 'UNCALIBRATED' && pathDelay !== 0)
}

function parseBlocks(text: string): readonly Block[] {
  const blocks: Block[] = []
  for (const line of text.split('\n')) {
    const head = /^\t(\S+) seq \d+ RESPONSE MANAGEMENT (\w+)\s*$/.exec(line)
    const pair = /^\t\t(\S+)\s+(\S.*?)\s*$/.exec(line)
    if (head !== null) blocks.push({ identity: head[1]!, name: head[2]!, values: new Map() })
    else if (pair !== null) blocks.at(-1)?.values.set(pair[1]!, pair[2]!)
    else if (line.trim() !== '' && !/^sending: |MANAGEMENT_ERROR_STATUS/.test(line)) {
      throw new Error(`pmc: not an answer: ${JSON.stringify(line.slice(0, 60))}`)
    }
  }
  return blocks
}

function portOf({ values }: Block): { readonly port: number; readonly state: string } {
  const port = /-(\d{1,5})$/.exec(values.get('portIdentity') ?? '')?.[1]
  const state = /^[A-Z_]{3,32}$/.exec(values.get('portState') ?? '')?.[0]
  if (port === undefined || state === undefined) throw new Error('pmc: PORT_DATA_SET without a port or its state')
  return { port: Number(port), state }
}

function number(block: Block | undefined, name: string): number | undefined {
  const text = block?.values.get(name)
  if (text === undefined) return undefined
  if (!/^-?\d{1,19}(\.\d+)?$/.test(text))
    throw new Error(`pmc: ${name} is not a number: ${JSON.stringify(text.slice(0, 40))}`)
  return Number(text)
}

function seconds(ns: number | undefined): number | undefined {
  return ns === undefined ? undefined : ns / billion
}
