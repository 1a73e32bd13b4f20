// What R4 asks of the resources that we write: cardinalities, data types and invariants of
// https://hl7.org/fhir/R4/observation.html, device.html, datatypes.html and bundle.html. Answers with what is wrong.

type Json = Readonly<Record<string, unknown>>

const id = /^[A-Za-z0-9\-.]{1,64}$/
const uri = /^\S+$/
const code = /^\S+( \S+)*$/
const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

const observation = [
  'resourceType', 'id', 'meta', 'identifier', 'status', 'category', 'code', 'subject', 'encounter', 'effectiveDateTime', 'valueQuantity',
  'valueCodeableConcept', 'dataAbsentReason', 'bodySite', 'device',
] // biome-ignore format: a list
const device = ['resourceType', 'id', 'meta', 'identifier', 'status', 'location']
const statuses = 'registered preliminary final amended corrected cancelled entered-in-error unknown'.split(' ')
const comparators = ['<', '<=', '>=', '>']

export function faultsOf(resource: Json): readonly string[] {
  const faults: string[] = []
  const wrong = (when: boolean, what: string): void => void (when && faults.push(what))
  const known = resource.resourceType === 'Device' ? device : observation
  for (const key of Object.keys(resource)) wrong(!known.includes(key), `unknown element ${key}`)
  wrong(!id.test(String(resource.id)), 'id')
  for (const value of strings(resource)) wrong(value === '', 'an empty string')
  if (resource.resourceType === 'Device') {
    for (const one of resource.identifier as Json[]) wrong(!isIdentifier(one), 'identifier')
    wrong(resource.location !== undefined && !isReference(resource.location as Json, 'Location'), 'location')
    return faults
  }
  wrong(resource.resourceType !== 'Observation', 'resourceType')
  wrong(!statuses.includes(String(resource.status)), 'status')
  wrong(!isConcept(resource.code as Json) || (resource.code as Json).coding === undefined, 'code')
  wrong(!dateTime.test(String(resource.effectiveDateTime)), 'effectiveDateTime')
  const values = Object.keys(resource).filter(key => key.startsWith('value'))
  wrong(values.length > 1, 'more than one value[x]')
  // obs-6
  wrong(values.length > 0 && resource.dataAbsentReason !== undefined, 'a value and why there is none')
  wrong(resource.valueQuantity !== undefined && !isQuantity(resource.valueQuantity as Json), 'valueQuantity')
  for (const key of ['valueCodeableConcept', 'dataAbsentReason', 'bodySite'])
    wrong(resource[key] !== undefined && !isConcept(resource[key] as Json), key)
  wrong(resource.subject !== undefined && !isReference(resource.subject as Json, 'Patient'), 'subject')
  wrong(resource.encounter !== undefined && !isReference(resource.encounter as Json, 'Encounter'), 'encounter')
  const reference = (resource.device as Json | undefined)?.reference
  wrong(resource.device !== undefined && !/^Device\/[A-Za-z0-9\-.]{1,64}$/.test(String(reference)), 'device')
  return faults
}

function isQuantity(q: Json): boolean {
  const comparator = q.comparator === undefined || comparators.includes(String(q.comparator))
  // qty-3: a code needs its system.
  const coded = q.system === 'http://unitsofmeasure.org' && typeof q.code === 'string' && code.test(q.code)
  return Number.isFinite(q.value) && comparator && coded
}

function isConcept(concept: Json | undefined): boolean {
  if (concept === undefined || Object.keys(concept).some(key => !['coding', 'text'].includes(key))) return false
  const codings = (concept.coding ?? []) as Json[]
  return (
    codings.every(c => uri.test(String(c.system)) && code.test(String(c.code))) &&
    (codings.length > 0 || 'text' in concept)
  )
}

function isIdentifier(one: Json): boolean {
  return uri.test(String(one.system)) && typeof one.value === 'string'
}

function isReference(reference: Json, type: string): boolean {
  return reference.type === type && isIdentifier(reference.identifier as Json)
}

function* strings(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value
  else if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) yield* strings(one)
}
