// Where FHIR resources go: to a server over HTTP, or to MQTT brokers.

import { secretFile } from '../../core/config-shapes.ts'
import { type BrokerOptions, brokerFields, checkCertificate } from '../../core/mqtt-options.ts'
import { duration, integer, matching, object, optional, refined, type Shape } from '../../core/shape.ts'

export interface FhirOptions extends BrokerOptions {
  /** Base of the server; undefined where brokers are named. */
  readonly url: string | undefined
  readonly headers_file: string | undefined
  /** ms */
  readonly timeout: number
  /** Resources in one transaction. */
  readonly bundle: number
  /** `<topic>/<node>/Observation` and `<topic>/<node>/Device`. */
  readonly topic: string
}

const url = matching(
  /^https?:\/\/[^\s/@?#]+(\/[^\s?#]*)?$/,
  'the base of a FHIR server such as https://fhir.example/r4, without user and password',
)
const topic = matching(/^[^+#\0\s/]+(?:\/[^+#\0\s/]+)*$/, 'a topic such as fhir or hospital/fhir')

export const fhirOptions: Shape<FhirOptions> = refined(
  object({
    ...brokerFields,
    brokers: optional(brokerFields.brokers, []),
    url: optional(url),
    headers_file: optional(secretFile),
    timeout: optional(duration(100, 300_000), 10_000),
    bundle: optional(integer(1, 1000), 100),
    topic: optional(topic, 'fhir'),
  }),
  (value, place) => {
    if ((value.url === undefined) === (value.brokers.length === 0)) place.wrong('name a FHIR server by url, or brokers')
    checkCertificate(value, place)
    if (value.url !== undefined && value.cert !== undefined) place.at('cert').wrong('certificates are for brokers only')
  },
)
