// `fieldline inventory`: what the package systeminformation finds of this machine, as JSON. The source `inventory` asks
// it in a child, so that the package's memory and the programs it starts end with it.

import { readArguments } from './arguments.ts'
import { type Command, print, status } from './command.ts'

/** Its disks, interfaces and GPUs are left out: it asks smartctl and nvidia-smi, which wakes devices. */
const wanted = { system: '*', baseboard: '*', bios: '*', memLayout: '*' }

export const inventory: Command = {
  async run(args) {
    readArguments(args, {})
    const { get } = await import('systeminformation')
    print(JSON.stringify(await get(wanted)))
    return status.ok
  },
}
