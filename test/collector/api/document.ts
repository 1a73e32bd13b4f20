import Ajv2020 from 'ajv/dist/2020.js'

/** What is wrong with an answer by the OpenAPI document, as a validator that knows nothing of ours sees it. */
export function problems(
  document: object,
  path: string,
  status: number,
  body: unknown,
  type = 'application/json',
  method = 'get',
): readonly unknown[] {
  const ajv = new Ajv2020.default({ strict: false }).addSchema({ ...document, $id: 'doc' })
  const at = ['paths', path, method, 'responses', `${status}`, 'content', type, 'schema']
  const pointer = at.map(key => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')
  const validate = ajv.compile({ $ref: `doc#/${pointer}` })
  return validate(body) ? [] : (validate.errors ?? [])
}
