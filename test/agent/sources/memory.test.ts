import { join } from 'node:path'
import t from 'tap'
import { memory } from '../../../agent/sources/memory.ts'
import { sourceContract } from '../source-contract.ts'

sourceContract(t, memory, join(import.meta.dirname, 'memory'))
