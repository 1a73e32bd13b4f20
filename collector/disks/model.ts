// The weights load when a collector starts, and nowhere else: they are 160 kB of text.

import { type Model, unpack } from '../../judge/disks/model.ts'

let loaded: Promise<Model> | undefined

export function diskModel(): Promise<Model> {
  loaded ??= import('../../judge/disks/weights.ts').then(({ weights }) => unpack(weights))
  return loaded
}
