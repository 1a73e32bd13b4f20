import { join } from 'node:path'
import t from 'tap'
import { cpu } from '../../../agent/sources/cpu.ts'
import { sourceContract } from '../source-contract.ts'

sourceContract(t, cpu, join(import.meta.dirname, 'cpu'))
