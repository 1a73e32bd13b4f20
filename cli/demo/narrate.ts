// Tells on the terminal what goes on in a scene: what happens to its devices, and which events and findings follow.

import type { Change, IncidentView } from '../../collector/api/view.ts'
import { summaryOf } from '../../collector/web/event-text.ts'
import { oneLine } from '../../core/log.ts'
import type { Event } from '../../core/model.ts'
import { isMap } from '../../core/shape.ts'
import { print } from '../command.ts'
import { texts } from '../texts.ts'
import type { Scene } from './scene.ts'

/** Begins the scene's play; the returned function ends the telling. */
export function narrate({ collector, stage, nodes, startedAt }: Scene, signal: AbortSignal): () => void {
  const { said } = texts(process.env)
  const line = (text: string): void => {
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)
    // On a terminal the line that keeps itself current stands where this is written.
    print(`${process.stdout.isTTY ? '\r\x1b[2K' : ''}${seconds} s  ${oneLine(text)}`)
  }
  stage.play(text => line(text(said.scene)), signal)
  // A real host has much to say that is not of the scene; of what happens to its devices incidents tell.
  const told = stage.host ? (change: Change): boolean => change.kind === 'incident' : () => true
  const known = new Map<string, string>()
  return collector.view.subscribe(change => {
    const text = told(change) ? textOf(change, nodes) : undefined
    if (text === undefined || (change.kind === 'incident' && known.get(change.incident.id) === text)) return
    if (change.kind === 'incident') known.set(change.incident.id, text)
    line(text)
  })
}

function textOf(change: Change, nodes: readonly string[]): string | undefined {
  const { scene } = texts(process.env).said
  if (change.kind === 'event' && nodes.includes(change.event.node))
    return scene.event(change.event.name, about(change.event))
  if (change.kind === 'incident') return incidentText(change.incident, nodes)
  if (change.kind !== 'finding') return undefined
  const { rule, message, until } = change.finding
  return until === undefined ? scene.findingOpens(rule, message) : scene.findingEnds(rule)
}

function incidentText(
  { id, nodes, until, findings, cause }: IncidentView,
  ours: readonly string[],
): string | undefined {
  const { scene } = texts(process.env).said
  if (!nodes.some(node => ours.includes(node))) return undefined
  if (until !== undefined) return scene.incidentEnds(id)
  return scene.incidentOpen(id, findings, cause?.finding.rule ?? '', cause?.finding.message ?? '')
}

function about({ body, attributes }: Event): string {
  const { bed, patient, source } = attributes
  const whose = [bed, patient].filter(known => known !== undefined).join('  ')
  const status = isMap(body) ? body.status : undefined
  return summaryOf({ body }) || whose || String(status ?? source ?? '')
}
