// node-opcua-client, loaded when the first OPC UA source starts: it takes more memory than all the rest of a gateway.

export type Library = typeof import('node-opcua-client')

let loading: Promise<Library> | undefined

export function library(): Promise<Library> {
  loading ??= import('node-opcua-client')
  return loading
}
