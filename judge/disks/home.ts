// Where a drive is. Several nodes may see one drive (two paths to it): it stays where it was seen first, until that node
// tells of it no more while another does. Plain data, pure.

export interface Home {
  node: string
  device: string | null
  /** When that node told of it last. */
  time: number
  /** Reports of others since. */
  others: number
  /** When it was told to be gone from there. */
  gone: number | null
}

/** For so long a node may miss its reports; they come every ten minutes. */
const patience = 3_600_000

/** Whether the drive is somewhere else now. */
export function seenAt(home: Home, node: string, time: number, device: string | undefined): boolean {
  const moves = node !== home.node && (home.gone !== null || (++home.others >= 2 && time - home.time >= patience))
  if (node !== home.node && !moves) return false
  const isNamedAnew = device !== undefined && device !== home.device
  const isBack = home.gone !== null
  Object.assign(home, { node, time, others: 0, gone: null, device: device ?? (moves ? null : home.device) })
  return moves || isNamedAnew || isBack
}

/** Whether it is nowhere now: the node it was at says that it is gone. */
export function goneFrom(home: Home, node: string, time: number): boolean {
  if (node !== home.node || time < home.time || home.gone !== null) return false
  home.gone = time
  return true
}
