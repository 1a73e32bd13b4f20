import type { Severity } from './model.ts'

/** Says one thing to the operator; parts are handed one and never write to a stream themselves. */
export type Say = (severity: Severity, message: string, fields?: Readonly<Record<string, string | number>>) => void
