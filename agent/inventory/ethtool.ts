// The firmware of network interfaces, which only their drivers know: `ethtool -i`, where it is installed.

import { reason } from '../../core/errors.ts'
import type { Host } from '../../core/host.ts'
import type { Trouble } from '../../core/log.ts'
import { type Component, fieldsOf, telling } from './component.ts'

const timeout = 5000
const maxBytes = 64 * 1024

/** The components, their interfaces with `firmware`. */
export function firmwareOfNics(
  components: readonly Component[],
  host: Host,
  trouble: Trouble,
  signal: AbortSignal,
): Promise<readonly Component[]> {
  const ask = async (component: Component): Promise<Component> => {
    const question = `ethtool -i ${component.place}`
    try {
      const answer = await host.run('ethtool', ['-i', component.place], { timeout, maxBytes, signal })
      trouble(question, undefined)
      // Drivers that tell nothing of themselves make it fail.
      if (answer === undefined || answer.status !== 0) return component
      return { ...component, fields: { ...component.fields, ...parseDriver(question, answer.stdout) } }
    } catch (error) {
      trouble(question, reason(error))
      return component
    }
  }
  return Promise.all(components.map(one => (one.type === 'network' ? ask(one) : one)))
}

/** Lines `firmware-version: 24.35.1012 (MT_0000000359)`. */
export function parseDriver(question: string, bytes: Buffer) {
  const text = bytes.toString('utf8')
  if (!text.startsWith('driver: ')) {
    throw new Error(`${question}: expected the driver, got ${JSON.stringify(text.slice(0, 60))}`)
  }
  const tell = (key: string): string | undefined =>
    telling(new RegExp(`^${key}: ([\\x20-\\x7e]{1,100})$`, 'm').exec(text)?.[1] ?? '')
  return fieldsOf({ firmware: tell('firmware-version'), driver_version: tell('version') })
}
