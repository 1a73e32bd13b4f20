// Which status codes mean that the server will not do it, now or later (OPC 10000-4, 7.38.2). After any other one nobody
// knows: a server in front of a controller says BadTimeout of what the controller may have done.

import type { StatusCode } from 'node-opcua-client'
import { Refused } from '../../core/errors.ts'

const refusals: ReadonlySet<string> = new Set([
  'BadArgumentsMissing',
  'BadAttributeIdInvalid',
  'BadDataEncodingInvalid',
  'BadIdentityTokenRejected',
  'BadIndexRangeInvalid',
  'BadInvalidArgument',
  'BadLocked',
  'BadMethodInvalid',
  'BadNodeIdInvalid',
  'BadNodeIdUnknown',
  'BadNotExecutable',
  'BadNotImplemented',
  'BadNotReadable',
  'BadNotSupported',
  'BadNotWritable',
  'BadOutOfRange',
  'BadSecurityModeInsufficient',
  'BadServiceUnsupported',
  'BadTooManyArguments',
  'BadTypeMismatch',
  'BadUserAccessDenied',
  'BadWriteNotSupported',
])

/** Refused, or an error after which it is not known. */
export function refusing(status: StatusCode, doing: string): Error {
  const said = `${doing}: the server says ${status.name}`
  return refusals.has(status.name) ? new Refused(said) : new Error(said)
}
