// The only way to the machine: files under a root, and time. Also what tests replace.

export interface Host {
  /** Where the machine's `/` is mounted: `/`, a container's `/host`, or a fixture tree. */
  readonly root: string
  /** The clock, ms since the epoch. */
  now(): number
  /** Resolves a path of the machine to a path here. */
  path(path: string): string
  /** Names in a folder, sorted; none if it is absent. */
  list(path: string): readonly string[]
  /** A file to be read again and again. */
  file(path: string): HostFile
}

export interface HostFile {
  /**
   * The file's present content, or undefined where it is absent or unreadable (absent hardware is no data, not a failure).
   * The bytes lie in a buffer shared by all files of the host: parse them before the next read.
   */
  read(): Buffer | undefined
  close(): void
}
