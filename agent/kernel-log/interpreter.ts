// What the lines of a kernel's log mean: each is tried against the rules, and lines that belong together (a machine check
// takes four, an OOM kill three among hundreds) become one report. What no rule knows is told only when the kernel itself
// calls it an error of a device, or worse.

import type { Attributes, Json } from '../../core/model.ts'
import type { Line } from './line.ts'
import { attributeOf, type Fields, fieldsOf, type Rule, type Told, textOf } from './rule.ts'
import { rules } from './rules.ts'

/** Something told, and the lines it was told in. */
export interface Report extends Told {
  readonly time: number
  readonly message: string
}

interface Gathering {
  readonly rule: Rule
  readonly time: number
  fields: Fields
  message: string
}

type Saved = Omit<Gathering, 'rule'> & { readonly pattern: string }

/** How long lines that belong to an earlier one may be behind it, ms; longer where the last one is known. */
const [closely, loosely] = [1000, 5000]
const mostOpen = 8
const mostDisks = 256
/** Of the lines kept, characters. */
const mostText = 3000

/** Fields that two lines of one matter have in common. */
const identity = [...Object.keys(attributeOf), 'pid', 'xid', 'sxid', 'record']

export class Interpreter {
  #open: Gathering[]
  /** USB ports on which a disk was found. */
  readonly #disks: Set<string>

  /** `saved` as `save` gave it. @throws Error when it is something else. */
  constructor(saved: unknown) {
    const [open, disks] = (saved ?? [[], []]) as [Saved[], string[]]
    this.#disks = new Set(disks)
    this.#open = open.flatMap(({ pattern, ...rest }) => {
      const rule = rules.find(one => one.pattern.source === pattern)
      return rule === undefined ? [] : [{ ...rest, rule }]
    })
  }

  /** What it knows of lines it has seen, for the next start. */
  save(): unknown {
    return [this.#open.map(({ rule, ...rest }): Saved => ({ ...rest, pattern: rule.pattern.source })), [...this.#disks]]
  }

  /** What is told for good with this line. */
  take(line: Line): Report[] {
    const text = line.text.replace(/^\[ *\d+\.\d{6}\](?:\[ *[TC]\d+\])? /, '').trimEnd()
    const settled = this.settle(line.time)
    const owner = this.#open.findLast(gathering => joins(gathering, text))
    if (owner === undefined) return [...settled, ...this.#begin(line, text)]
    if (!owner.rule.last?.test(text)) return settled
    this.#open = this.#open.filter(gathering => gathering !== owner)
    return [...settled, ...this.#finish(owner)]
  }

  /** What gets no more lines, now that it is `time`. */
  settle(time: number): Report[] {
    const over = this.#open.filter(
      ({ rule, time: began }) => time - began > (rule.last ? loosely : closely) || time < began,
    )
    if (over.length === 0) return []
    this.#open = this.#open.filter(gathering => !over.includes(gathering))
    return over.flatMap(gathering => this.#finish(gathering))
  }

  #begin(line: Line, text: string): Report[] {
    for (const rule of rules) {
      const groups = rule.pattern.exec(text)
      if (groups === null) continue
      const gathering = { rule, time: line.time, fields: fieldsOf(groups.groups), message: text }
      if (rule.more === undefined) return this.#finish(gathering)
      this.#open.push(gathering)
      return this.#open.length > mostOpen ? this.#finish(this.#open.shift()!) : []
    }
    return unknown(line, text)
  }

  #finish({ rule, time, fields, message }: Gathering): Report[] {
    const refined = rule.refine ? rule.refine(fields) : {}
    if (refined === undefined || !this.#concerns(rule, fields)) return []
    const all = { ...fields, ...refined.fields }
    const severity = refined.severity ?? rule.severity
    return [
      { event: rule.event, severity, attributes: attributesOf(all), fields: withoutAttributes(all), time, message },
    ]
  }

  /** Of USB devices only disks are anybody's concern when they go. */
  #concerns({ event }: Rule, fields: Fields): boolean {
    if (event !== 'kernel.usb.storage') return true
    const port = textOf(fields, 'hw')
    if (fields.number !== undefined) return this.#disks.delete(port)
    if (this.#disks.size < mostDisks) this.#disks.add(port)
    return true
  }
}

/** Takes the line into the gathering if it is one of its own. */
function joins(gathering: Gathering, text: string): boolean {
  for (const pattern of gathering.rule.more!) {
    const match = pattern.exec(text)
    if (match === null) continue
    const found = fieldsOf(match.groups)
    const { fields } = gathering
    if (identity.some(name => name in found && name in fields && found[name] !== fields[name])) continue
    gathering.fields = { ...found, ...fields }
    if (gathering.message.length + text.length < mostText) gathering.message += `\n${text}`
    return true
  }
  return false
}

function attributesOf(fields: Fields): Attributes {
  const attributes: Record<string, string | number> = {}
  for (const [name, key] of Object.entries(attributeOf)) {
    const value = fields[name]
    if (typeof value === 'string' || typeof value === 'number') attributes[key] = value
  }
  return attributes
}

function withoutAttributes(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]): boolean => attributeOf[name] === undefined))
}

/** `mlx5_core 0000:03:00.0 eth0: ` as dev_err() and netdev_err() write it. */
const device = /^(?<driver>[\w.-]+) (?<hw>[\w:.-]+?)(?: [\w.-]+)?(?: \(\w+\))?: (?<what>.*)$/

function unknown({ level, facility, device: named, time }: Line, text: string): Report[] {
  if (facility !== 0 || level > 3 || text === '') return []
  const groups: Readonly<Record<string, string>> | undefined =
    named === undefined ? undefined : device.exec(text)?.groups
  if (groups === undefined && level === 3) return []
  const fields: Record<string, Json> = { level, ...(groups ? fieldsOf(groups) : { what: text }) }
  const { hw, ...rest } = fields
  const common = { attributes: typeof hw === 'string' ? { 'hw.id': hw } : {}, fields: rest, time, message: text }
  if (level < 3)
    return [{ event: 'kernel.emergency', severity: 'critical', ...common, attributes: {}, fields: { ...fields } }]
  return [{ event: 'kernel.device_error', severity: 'warning', ...common }]
}
