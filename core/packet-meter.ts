// Follows the frames of an MQTT byte stream (MQTT 3.1.1, 2.2.3 Remaining Length) without keeping any byte of it, so that
// a packet larger than agreed ends the connection before it is gathered in memory.

/** Takes each chunk in order; answers the length of a packet that is longer than `max`, 0 while all is well. */
export function packetMeter(max: number): (chunk: Uint8Array) => number {
  let body = 0
  let length = 0
  let scale = 0
  return chunk => {
    for (let at = 0; at < chunk.length; ) {
      if (body > 0) {
        const step = Math.min(body, chunk.length - at)
        body -= step
        at += step
      } else if (scale === 0) {
        at++
        scale = 1
        length = 0
      } else {
        const byte = chunk[at++]!
        length += (byte & 0x7f) * scale
        scale *= 128
        if (byte >= 0x80) continue
        if (length > max) return length
        scale = 0
        body = length
      }
    }
    return 0
  }
}
