import { join } from 'node:path'
import t from 'tap'
import { inventory } from '../../../agent/sources/inventory.ts'
import { sourceContract } from '../source-contract.ts'

const folder = join(import.meta.dirname, 'inventory')
sourceContract(t, inventory, folder)
