import { join } from 'node:path'
import t from 'tap'
import { load } from '../../../agent/sources/load.ts'
import { sourceContract } from '../source-contract.ts'

sourceContract(t, load, join(import.meta.dirname, 'load'))
