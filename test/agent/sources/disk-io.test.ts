import { join } from 'node:path'
import t from 'tap'
import { diskIo } from '../../../agent/sources/disk-io.ts'
import { sourceContract } from '../source-contract.ts'

sourceContract(t, diskIo, join(import.meta.dirname, 'disk-io'))
