// A simulated filling line as an OPC UA address space: a tank, its valve, a motor. Its values follow from the time alone, or
// are set by whoever tests with it. Every description says that it is simulated.

import {
  type AddressSpace,
  ConditionInfo,
  DataType,
  DataValue,
  makeAccessLevelFlag,
  type Namespace,
  StatusCodes,
  standardUnits,
  type UADataType,
  type UAObject,
  type UAVariable,
  Variant,
  VariantArrayType,
  type VariantOptions,
} from 'node-opcua'
import { typesNamespace } from './simulated-types.ts'

export const lineNamespace = 'urn:fieldline:simulated-line'

/** What the line's variables are; `history` is kept of some only, as on a real server. */
const variables = [
  { name: 'Tank.Level', type: 'Double', unit: 'percent', range: [0, 100], value: 40, history: true },
  { name: 'Tank.Temperature', type: 'Float', unit: 'degree_celsius', range: [-20, 120], value: 21, history: true },
  { name: 'Tank.Product', type: 'String', value: 'water' },
  { name: 'Valve.Position', type: 'Double', unit: 'percent', range: [0, 100], value: 50, access: 'written' },
  { name: 'Valve.Open', type: 'Boolean', value: true, access: 'written' },
  { name: 'Valve.Serial', type: 'UInt32', value: 4711, access: 'forbidden' },
  { name: 'Motor.Speed', type: 'Float', unit: 'revolutions_per_minute', range: [0, 3000], value: 1480, history: true },
  { name: 'Motor.Mode', type: 'Int32', value: 1, access: 'written' },
  { name: 'Motor.Currents', type: 'Float', value: [4.1, 4.2, 4], access: 'written' },
  { name: 'Motor.Bottles', type: 'UInt64', value: [0, 0] },
  { name: 'Motor.Nameplate', type: 'ExtensionObject', value: { maker: 'Simulated Drives', poles: 4, power: 5.5 } },
] as const satisfies readonly Described[]

interface Described {
  readonly name: `${string}.${string}`
  readonly type: keyof typeof DataType
  readonly value: unknown
  readonly unit?: keyof typeof standardUnits
  readonly range?: readonly [number, number]
  /** Who may write it: nobody where absent; `forbidden`: somebody, but nobody who can log in here. */
  readonly access?: 'written' | 'forbidden'
  readonly history?: boolean
}

export type LineVariable = (typeof variables)[number]['name']

/** What must outlive a restart of the server: a historian is another machine's disk. */
export interface LineMemory {
  readonly values: Map<string, unknown>
  readonly history: Map<string, DataValue[]>
}

export interface Line {
  readonly namespace: Namespace
  set(name: LineVariable, value: unknown, time: Date, status?: 'Good' | 'BadSensorFailure'): void
  value(name: LineVariable): unknown
  remove(name: LineVariable): void
  add(name: LineVariable): void
}

const mostHistory = 100_000

export function buildLine(space: AddressSpace, memory: LineMemory, now: () => Date): Line {
  const namespace = space.registerNamespace(lineNamespace)
  const root = namespace.addObject({
    organizedBy: space.rootFolder.objects,
    browseName: 'Line',
    description: 'simulated',
    nodeId: 's=Line',
    eventNotifier: 1,
    notifierOf: space.rootFolder.objects.server,
  })
  const parts = Object.fromEntries(
    ['Tank', 'Valve', 'Motor'].map(name => [name, addPart(namespace, root, name)]),
  ) as Readonly<Record<string, UAObject>>
  const nodes = new Map<string, UAVariable>()

  const set: Line['set'] = (name, value, time, status = 'Good') => {
    memory.values.set(name, value)
    const node = nodes.get(name)
    node?.setValueFromSource(variantOf(describedBy(name), value, space), StatusCodes[status], time)
  }
  const add: Line['add'] = name => {
    const described = describedBy(name)
    nodes.set(name, addVariable(described, parts[name.split('.')[0]!]!, space, memory))
    set(name, memory.values.get(name) ?? described.value, now())
  }
  const remove: Line['remove'] = name => {
    const node = nodes.get(name)
    if (node !== undefined) namespace.deleteNode(node)
    nodes.delete(name)
  }
  for (const { name } of variables) add(name)
  addMethod(namespace, parts.Motor!, speed => set('Motor.Speed', speed, now()))
  addAlarm(namespace, parts.Tank!, nodes.get('Tank.Level')!)
  const value: Line['value'] = name => nodes.get(name)?.readValue().value.value
  return { namespace, set, value, add, remove }
}

/** What happens to a variable while its server is down: only the historian sees it. */
export function record(memory: LineMemory, name: LineVariable, value: unknown, time: Date): void {
  memory.values.set(name, value)
  const dataType = DataType[describedBy(name).type]
  keep(memory, name, new DataValue({ value: { dataType, value }, statusCode: StatusCodes.Good, sourceTimestamp: time }))
}

function describedBy(name: LineVariable): Described {
  return variables.find(v => v.name === name)!
}

function variantOf({ type, value: first }: Described, value: unknown, space: AddressSpace): VariantOptions {
  const dataType = DataType[type]
  if (type === 'ExtensionObject') {
    return {
      dataType,
      value: space.constructExtensionObject(ownType('Nameplate', space), value as Record<string, unknown>),
    }
  }
  const isArray = Array.isArray(first) && type !== 'UInt64'
  return { dataType, value, arrayType: isArray ? VariantArrayType.Array : VariantArrayType.Scalar }
}

function ownType(name: string, space: AddressSpace): UADataType {
  return space.findDataType(name, space.getNamespaceIndex(typesNamespace))!
}

function addPart(namespace: Namespace, root: UAObject, name: string): UAObject {
  return namespace.addObject({
    componentOf: root,
    browseName: name,
    description: 'simulated',
    nodeId: `s=${name}`,
    eventNotifier: 1,
    eventSourceOf: root,
  })
}

const access = {
  read: makeAccessLevelFlag('CurrentRead'),
  written: makeAccessLevelFlag('CurrentRead | CurrentWrite'),
}

function addVariable(d: Described, parent: UAObject, space: AddressSpace, memory: LineMemory): UAVariable {
  const namespace = parent.namespace as Namespace
  const common = {
    componentOf: parent,
    browseName: d.name.split('.')[1]!,
    description: 'simulated',
    nodeId: `s=${d.name}`,
    accessLevel: d.access === undefined ? access.read : access.written,
    userAccessLevel: d.access === 'written' ? access.written : access.read,
    minimumSamplingInterval: 0,
  }
  const node = d.range
    ? namespace.addAnalogDataItem({
        ...common,
        dataType: d.type,
        engineeringUnitsRange: { low: d.range[0], high: d.range[1] },
        instrumentRange: { low: d.range[0], high: d.range[1] },
        ...(d.unit && { engineeringUnits: standardUnits[d.unit] }),
      })
    : namespace.addVariable({ ...common, ...typeOf(d, space) })
  if (d.history) historize(node, d.name, space, memory)
  return node
}

function typeOf(d: Described, space: AddressSpace) {
  if (d.name === 'Motor.Mode') return { dataType: ownType('Mode', space).nodeId, valueRank: -1 }
  if (d.type === 'ExtensionObject') return { dataType: ownType('Nameplate', space).nodeId, valueRank: -1 }
  return { dataType: d.type, valueRank: Array.isArray(d.value) && d.type !== 'UInt64' ? 1 : -1 }
}

function historize(node: UAVariable, name: string, space: AddressSpace, memory: LineMemory): void {
  space.installHistoricalDataNode(node, {
    historian: {
      push: async value => keep(memory, name, value),
      extractDataValues(details, most, isReversed, reverseDataValue, callback) {
        const from = details.startTime?.getTime() ?? 0
        const to = details.endTime?.getTime() ?? Number.MAX_SAFE_INTEGER
        const within = (memory.history.get(name) ?? []).filter(({ sourceTimestamp }) => {
          const at = sourceTimestamp?.getTime() ?? 0
          return at >= from && at <= to
        })
        const ordered = isReversed !== reverseDataValue ? within.toReversed() : within
        callback(null, most > 0 ? ordered.slice(0, most) : ordered)
      },
    },
  })
}

/** A historian records also while nobody can reach the server. */
function keep(memory: LineMemory, name: string, value: DataValue): void {
  if (!describedBy(name as LineVariable).history) return
  const kept = memory.history.get(name) ?? []
  kept.push(new DataValue(value))
  if (kept.length > mostHistory) kept.shift()
  memory.history.set(name, kept)
}

/** `Motor.SetSpeed(speed)` gives the speed that was set; 0 to 3000. */
function addMethod(namespace: Namespace, motor: UAObject, setSpeed: (speed: number) => void): void {
  const speed = { name: 'speed', dataType: DataType.Double, description: 'revolutions per minute, 0 to 3000' }
  const method = namespace.addMethod(motor, {
    browseName: 'SetSpeed',
    nodeId: 's=Motor.SetSpeed',
    inputArguments: [speed],
    outputArguments: [speed],
  })
  // The library tells callback from promise by the number of arguments.
  method.bindMethod((inputs, _context, callback) => {
    const value = Number(inputs[0]?.value)
    const isRight = value >= 0 && value <= 3000
    if (isRight) setSpeed(value)
    callback(null, {
      statusCode: isRight ? StatusCodes.Good : StatusCodes.BadOutOfRange,
      outputArguments: isRight ? [new Variant({ dataType: DataType.Double, value })] : [],
    })
  })
}

function addAlarm(namespace: Namespace, tank: UAObject, level: UAVariable): void {
  const alarm = namespace.instantiateExclusiveLimitAlarm('ExclusiveLimitAlarmType', {
    browseName: 'LevelAlarm',
    conditionName: 'LevelAlarm',
    nodeId: 's=Tank.LevelAlarm',
    componentOf: tank,
    conditionSource: tank,
    inputNode: level,
    highHighLimit: 95,
    highLimit: 85,
    lowLimit: 15,
    lowLowLimit: 5,
    optionals: ['ConfirmedState', 'Confirm'],
  } as Parameters<Namespace['instantiateExclusiveLimitAlarm']>[1])
  alarm.calculateConditionInfo = (limit, isActive, value) =>
    new ConditionInfo({
      message: isActive ? `the tank is at ${value} %, ${limit}` : `the tank is at ${value} %`,
      severity: isActive ? (limit === 'High' || limit === 'Low' ? 600 : 900) : 100,
      quality: StatusCodes.Good,
      retain: isActive,
    })
}
