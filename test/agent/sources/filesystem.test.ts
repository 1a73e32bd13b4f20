import { join } from 'node:path'
import t from 'tap'
import { filesystem } from '../../../agent/sources/filesystem.ts'
import { sourceContract } from '../source-contract.ts'

sourceContract(t, filesystem, join(import.meta.dirname, 'filesystem'))
