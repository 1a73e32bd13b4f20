// SunSpec's information models: what a configuration says of them, and the registers they become at the place where a
// device has them (SunSpec Device Information Model Specification). Pure.

import { integer, list, object, optional, refined, type Shape, text } from '../../core/shape.ts'
import { checkMeaning, meaning, naming, type Register } from './registers.ts'
import { width } from './value-types.ts'

const fields = object(
  {
    name: text,
    /** Registers after the model's id and length. */
    at: integer(0, 65_533),
    /** Where the model has the point's scale factor, counted alike. */
    sf: optional(integer(0, 65_533)),
    ...meaning,
  },
  'a point',
)

export type Point = ReturnType<typeof fields.read>

export const sunspecPoint: Shape<Point> = naming(refined(fields, checkMeaning))

const model = object({ ids: list(integer(1, 65_534), 100), points: list(sunspecPoint, 1000) }, 'a model')

export const sunspecMap = object(
  {
    /** Where the marker `SunS` may stand; the first that has it counts. */
    bases: optional(list(integer(0, 65_533), 16), [40_000, 50_000, 0]),
    models: list(model, 200),
  },
  'the models of SunSpec',
)

export type SunspecMap = ReturnType<typeof sunspecMap.read>

/** A model as a device has it. */
export interface Found {
  readonly id: number
  /** Of its first register after id and length. */
  readonly address: number
  /** Registers after id and length. */
  readonly length: number
}

/**
 * The registers of the models that the map knows. A shorter model, as older devices have it, lacks its last points. The
 * second model of one id has `sunspec.instance` 2.
 */
export function registersOf(map: SunspecMap, chain: readonly Found[]): readonly Register[] {
  const seen = new Map<number, number>()
  return chain.flatMap(found => {
    const instance = (seen.get(found.id) ?? 0) + 1
    seen.set(found.id, instance)
    const known = map.models.find(({ ids }) => ids.includes(found.id))
    const inside = known?.points.filter(p => p.at + width(p) <= found.length) ?? []
    return inside.map(p => registerOf(p, found, instance))
  })
}

function registerOf({ at, sf, ...point }: Point, { id, address }: Found, instance: number): Register {
  const own = { 'sunspec.model': id, ...(instance > 1 && { 'sunspec.instance': instance }) }
  return {
    ...point,
    table: 'holding-register',
    address: address + at,
    exponent: sf === undefined ? undefined : address + sf,
    attributes: { ...own, ...point.attributes },
    write: undefined,
  }
}
