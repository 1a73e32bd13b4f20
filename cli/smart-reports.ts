// `fieldline smart-reports`: what fieldline-smart.service runs as root, so that the agent needs no rights.

import type { Asked } from '../agent/smart/pass.ts'
import { writeReports } from '../agent/smart/writer.ts'
import { realHost } from '../core/host.ts'
import { readArguments, Usage } from './arguments.ts'
import { type Command, print, status } from './command.ts'
import { table } from './table.ts'
import { texts } from './texts.ts'

export const smartReports: Command = {
  async run(args) {
    const { values } = readArguments(args, { to: { type: 'string' } })
    if (values.to === undefined) throw new Usage('--to FOLDER is missing')
    const { drives } = await writeReports(realHost(), values.to)
    const { said } = texts(process.env)
    print(drives.length === 0 ? said.noDrives : table(drives.map(row)))
    return status.ok
  },
}

function row({ device, type, file, trouble }: Asked): string[] {
  return [device, type, file ?? trouble!]
}
