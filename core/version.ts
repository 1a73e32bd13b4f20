import manifest from '../package.json' with { type: 'json' }

/** Of all of Fieldline, as in package.json. */
export const version: string = manifest.version
