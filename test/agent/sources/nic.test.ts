import { join } from 'node:path'
import t from 'tap'
import { nic } from '../../../agent/sources/nic.ts'
import { sourceContract } from '../source-contract.ts'

sourceContract(t, nic, join(import.meta.dirname, 'nic'))
