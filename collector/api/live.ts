// The live feed: server-sent events, one message a second to all clients, made once. Changes between two messages are
// coalesced (the last word on a node, finding or incident counts; of events the newest). Nothing runs while nobody listens.
// A client that does not read is let go: its browser comes back by itself and reads afresh.

import type { ServerResponse } from 'node:http'
import { type EventAnswer, eventAnswer, findingAnswer, incidentAnswer, type Tick, vitalsAnswer } from './answers.ts'
import { securityHeaders } from './guard.ts'
import type { Change, FindingView, IncidentView, NodeView, View } from './view.ts'

const interval = 1000
const maxClients = 64
const maxUnread = 1 << 20
const maxEvents = 200

export class LiveFeed {
  readonly #view: View
  readonly #clients = new Set<ServerResponse>()
  readonly #nodes = new Map<string, NodeView>()
  readonly #findings = new Map<string, FindingView>()
  readonly #incidents = new Map<string, IncidentView>()
  #events: EventAnswer[] = []
  #stop: (() => void) | undefined

  constructor(view: View) {
    this.#view = view
  }

  /** Takes over the response until its client leaves; false, and nothing done, when there are too many. */
  add(response: ServerResponse): boolean {
    if (this.#clients.size >= maxClients) return false
    response.writeHead(200, { ...securityHeaders, 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write(
      `retry: 2000\n\n${message({ ...this.#vitals(), nodes: [], findings: [], incidents: [], events: [] })}`,
    )
    this.#clients.add(response)
    response.on('close', () => this.#remove(response))
    this.#stop ??= this.#start()
    return true
  }

  close(): void {
    for (const client of this.#clients) client.end()
  }

  #start(): () => void {
    const timer = setInterval(() => this.#send(), interval)
    const leave = this.#view.subscribe(change => this.#note(change))
    return () => {
      clearInterval(timer)
      leave()
    }
  }

  #remove(client: ServerResponse): void {
    this.#clients.delete(client)
    if (this.#clients.size > 0) return
    this.#stop?.()
    this.#stop = undefined
    this.#forget()
  }

  #note(change: Change): void {
    if (change.kind === 'node') this.#nodes.set(change.node.name, change.node)
    else if (change.kind === 'finding') this.#findings.set(change.finding.id, change.finding)
    else if (change.kind === 'incident') this.#incidents.set(change.incident.id, change.incident)
    else if (this.#events.push(eventAnswer(this.#view, change.event)) > maxEvents) this.#events.shift()
  }

  #send(): void {
    const text = message({
      ...this.#vitals(),
      nodes: [...this.#nodes.values()],
      findings: [...this.#findings.values()].map(finding => findingAnswer(this.#view, finding)),
      incidents: [...this.#incidents.values()].map(incident => incidentAnswer(this.#view, incident)),
      events: this.#events,
    })
    this.#forget()
    for (const client of this.#clients) {
      if (client.writableLength > maxUnread) client.destroy()
      else client.write(text)
    }
  }

  #vitals(): Pick<Tick, 'vitals'> {
    return { vitals: vitalsAnswer(this.#view.vitals()) }
  }

  #forget(): void {
    this.#nodes.clear()
    this.#findings.clear()
    this.#incidents.clear()
    this.#events = []
  }
}

function message(tick: Tick): string {
  return `data: ${JSON.stringify(tick)}\n\n`
}
