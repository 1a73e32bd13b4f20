// A child of the crash proof: an embedded broker that keeps nothing over a restart. Argument: port.

import { openBroker } from '../../collector/broker.ts'

await openBroker({ host: '127.0.0.1', port: Number(process.argv[2]) })
// An orphan would go on writing where the next run looks.
process.on('disconnect', () => process.exit(1))
process.send?.('ready')
