import { join } from 'node:path'
import t from 'tap'
import { smart } from '../../../agent/sources/smart.ts'
import { sourceContract } from '../source-contract.ts'

sourceContract(t, smart, join(import.meta.dirname, 'smart'))
