// Tells on the terminal what goes on in a scene: what happens to its devices, and which events and findings follow.

import type { Change } from '../../collector/api/view.ts'
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
  if (stage.host) return () => undefined
  return collector.view.subscribe(change => {
    const text = textOf(change, nodes)
    if (text !== undefined) line(text)
  })
}

function textOf(change: Change, nodes: readonly string[]): string | undefined {
  const { scene } = texts(process.env).said
  if (change.kind === 'event' && nodes.includes(change.event.node))
    return scene.event(change.event.name, about(change.event))
  if (change.kind !== 'finding') return undefined
  const { rule, message, until } = change.finding
  return until === undefined ? scene.findingOpens(rule, message) : scene.findingEnds(rule)
}

function about({ body, attributes }: Event): string {
  const { bed, patient, source } = attributes
  const whose = [bed, patient].filter(known => known !== undefined).join('  ')
  const status = isMap(body) ? body.status : undefined
  return summaryOf({ body }) || whose || String(status ?? source ?? '')
}
