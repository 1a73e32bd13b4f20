/** The spool is at its cap and does not shed, or the parcel alone is larger than the cap. May be tried again later. */
export class SpoolFull extends Error {
  override readonly name = 'SpoolFull'
}
