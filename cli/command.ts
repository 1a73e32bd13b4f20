// What every subcommand is. Each is one file here, loaded only when it is called for.

/** Exit statuses of the command. */
export const status = { ok: 0, failed: 1, usage: 2 } as const

export interface Command {
  /** Throws Usage on wrong arguments; any other error is a failure whose message is for the caller's eyes. */
  run(args: readonly string[]): Promise<number>
}

/** One line on stdout. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
