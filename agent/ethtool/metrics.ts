// What is told of an interface by `ethtool`. The hardware conventions (hw.*) ask for `hw.id`.

import type { SeriesKind } from '../../core/model.ts'
import { type Metric, metric } from '../metric.ts'
import type { Quantity } from './optics.ts'

const [own, direction, limit] = [['hw.id', 'network.interface.name'], 'network.io.direction', 'hw.limit_type']

const of = (
  name: string,
  unit: string,
  kind: SeriesKind,
  keys: readonly string[],
  option: string,
  brief: string,
): Metric => metric(`hw.${name}`, unit, kind, [...own, ...keys], `ethtool ${option}`, brief)

const pauses = '--include-statistics -a'

export const metrics = {
  statistic: of(
    'network.driver.statistic',
    '1',
    'counter',
    ['ethtool.statistic'],
    '-S',
    "the driver's statistics that the option `statistics` chooses, by their own names",
  ),
  pauseEnabled: of('network.pause.enabled', '1', 'gauge', [direction], pauses, '1 where pause frames are obeyed, sent'),
  pauseFrames: of('network.pause.frames', '{frame}', 'counter', [direction], pauses, 'pause frames of the whole link'),
  priorityFrames: of(
    'network.pfc.frames',
    '{frame}',
    'counter',
    [direction, 'network.priority'],
    '-S',
    'pause frames of one priority (PFC)',
  ),
  priorityTime: of(
    'network.pfc.time',
    's',
    'counter',
    [direction, 'network.priority'],
    '-S',
    'time that one priority was held back (PFC)',
  ),
  storm: of('network.pfc.storm', '{event}', 'counter', ['severity'], '-S', 'times this end was held back for too long'),
  alarms: of('network.transceiver.alarms', '{alarm}', 'gauge', ['severity'], '-m', 'flags that the module raises'),
} as const

const place = 'hw.sensor_location'
const channel = 'network.transceiver.channel'
const optics = (name: string, unit: string, keys: readonly string[], brief: string) => ({
  value: of(name, unit, 'gauge', [...keys, ...(keys.includes(place) ? [] : [channel])], '-m', brief),
  limit: of(`${name}.limit`, unit, 'gauge', [...keys, limit], '-m', 'its limits, as the maker of the module set them'),
})
const power = optics('network.transceiver.power', 'W', [direction], 'optical power')

/** `attributes` beside those of the interface. */
export const opticsMetrics: Readonly<
  Record<
    Quantity,
    { readonly value: Metric; readonly limit: Metric; readonly attributes: Readonly<Record<string, string>> }
  >
> = {
  temperature: {
    ...optics('temperature', 'Cel', [place], 'temperature of the module'),
    attributes: { [place]: 'transceiver' },
  },
  voltage: { ...optics('voltage', 'V', [place], 'supply of the module'), attributes: { [place]: 'transceiver' } },
  bias: { ...optics('network.transceiver.bias_current', 'A', [], 'current through the laser'), attributes: {} },
  transmit: { ...power, attributes: { [direction]: 'transmit' } },
  receive: { ...power, attributes: { [direction]: 'receive' } },
}
