// What a protocol's bench gives to bench/fieldbus.ts, which runs the gateway and measures.

export interface Field {
  readonly name: string
  /** What one value is called in the figures: `tags_per_s`. */
  readonly rate: string
  /** How many values a second the devices hold ready. */
  readonly wanted: number
  /** Starts the simulated devices, in processes of their own. */
  start(folder: string): Promise<Devices>
}

export interface Devices {
  /** The gateway's sources that read them. */
  readonly sources: readonly object[]
  /** Resolves when the gateway has begun to read, where that may take longer than a warm-up. */
  flowing?(): Promise<void>
  stop(): void
}
