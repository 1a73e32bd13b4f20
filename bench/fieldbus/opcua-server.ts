// A server for the bench: node-opcua's own but for its variables. Changing 100,000 of those each second costs more than a
// core (some 10 us a change), so monitored items are answered here and notifications made of one prepared list, through
// node-opcua's encoder, secure channel and transport. A child of the bench: `opcua-server.ts FOLDER` prints its address and
// then, each second, how many values it has sent so far.

import {
  CreateMonitoredItemsResponse,
  DataChangeNotification,
  DataType,
  DataValue,
  MonitoredItemNotification,
  type NodeId,
  NotificationMessage,
  OPCUACertificateManager,
  OPCUAServer,
  PublishResponse,
  ReadResponse,
  resolveNodeId,
  StatusCodes,
} from 'node-opcua'

const interval = 1000
const valuesAMessage = 5000
const attributes = { value: 13, dataType: 14 } as const
/** Of variables that there are as far as a client can tell. */
const firstNamespace = 2

/** The library's own arguments, of types that it does not export. */
type Message = Parameters<OPCUAServer['on_request']>[0]
type Channel = Parameters<OPCUAServer['on_request']>[1]
type Answer = (response: PublishResponse) => void

class BenchServer extends OPCUAServer {
  sent = 0
  readonly #notifications: MonitoredItemNotification[] = []
  readonly #waiting: Answer[] = []
  #channel: Channel | undefined
  #subscriptionId = 0
  #sequenceNumber = 0
  #round = 0
  /** What of this round is still to be sent begins here. */
  #next = 0

  /** A client that comes anew begins anew. */
  protected override _on_CreateSubscriptionRequest(message: Message, channel: Channel): void {
    this.#subscriptionId = 0
    this.#notifications.length = 0
    this.#waiting.length = 0
    this.#sequenceNumber = 0
    this.#round = 0
    super._on_CreateSubscriptionRequest(message, channel)
  }

  protected override _on_CreateMonitoredItemsRequest(message: Message, channel: Channel): void {
    const { itemsToCreate, subscriptionId } = message.request as unknown as CreateRequest
    if (itemsToCreate.some(({ itemToMonitor }) => itemToMonitor.nodeId.namespace < firstNamespace)) {
      super._on_CreateMonitoredItemsRequest(message, channel)
      return
    }
    this._apply_on_SessionObject(CreateMonitoredItemsResponse, message, channel, (_session, answer) => {
      this.#subscriptionId = subscriptionId
      answer(new CreateMonitoredItemsResponse({ results: itemsToCreate.map(item => this.#create(item)) }))
    })
  }

  #create({ requestedParameters: { clientHandle, queueSize } }: CreateItem) {
    this.#notifications.push(new MonitoredItemNotification({ clientHandle, value: value(0) }))
    return {
      statusCode: StatusCodes.Good,
      monitoredItemId: this.#notifications.length,
      revisedSamplingInterval: interval,
      revisedQueueSize: queueSize,
    }
  }

  protected override _on_PublishRequest(message: Message, channel: Channel): void {
    // What waits on a connection that is over is never answered.
    if (channel !== this.#channel) this.#waiting.length = 0
    this.#channel = channel
    this._apply_on_SessionObject(PublishResponse, message, channel, (_session, answer) => {
      this.#waiting.push(answer)
      this.#send()
    })
  }

  protected override _on_ReadRequest(message: Message, channel: Channel): void {
    const { nodesToRead } = message.request as unknown as ReadRequest
    if (nodesToRead.some(({ nodeId }) => nodeId.namespace < firstNamespace)) {
      super._on_ReadRequest(message, channel)
      return
    }
    this._apply_on_SessionObject(ReadResponse, message, channel, (_session, answer) =>
      answer(new ReadResponse({ results: nodesToRead.map(({ attributeId }) => attribute(attributeId)) })),
    )
  }

  /** All values change; a client that has not yet taken the round before keeps its own pace. */
  change(): void {
    if (this.#next < this.#notifications.length && this.#round > 0) return
    if (this.#notifications.length === 0) {
      this.#signOfLife()
      return
    }
    this.#round++
    this.#next = 0
    const sourceTimestamp = new Date()
    for (const [n, { value }] of this.#notifications.entries()) {
      value.value.value = this.#round + n
      value.sourceTimestamp = sourceTimestamp
      value.serverTimestamp = sourceTimestamp
    }
    this.#send()
  }

  /** Without notifications, and with the number of the next one (OPC 10000-4, 5.14.1.1). */
  #signOfLife(): void {
    const sequenceNumber = this.#sequenceNumber + 1
    const notificationMessage = new NotificationMessage({ sequenceNumber, publishTime: new Date() })
    const subscriptionId = this.#subscriptionId
    this.#waiting.shift()?.(new PublishResponse({ subscriptionId, notificationMessage }))
  }

  #send(): void {
    while (this.#round > 0 && this.#next < this.#notifications.length) {
      const answer = this.#waiting.shift()
      if (answer === undefined) return
      const monitoredItems = this.#notifications.slice(this.#next, this.#next + valuesAMessage)
      this.#next += monitoredItems.length
      const notificationData = new DataChangeNotification()
      notificationData.monitoredItems = monitoredItems
      const notificationMessage = new NotificationMessage({
        sequenceNumber: ++this.#sequenceNumber,
        publishTime: new Date(),
      })
      notificationMessage.notificationData = [notificationData]
      const moreNotifications = this.#next < this.#notifications.length
      const subscriptionId = this.#subscriptionId
      const response = new PublishResponse({ subscriptionId, moreNotifications })
      response.notificationMessage = notificationMessage
      answer(response)
      this.sent += monitoredItems.length
    }
  }
}

interface CreateItem {
  readonly itemToMonitor: { readonly nodeId: NodeId }
  readonly requestedParameters: { readonly clientHandle: number; readonly queueSize: number }
}

interface CreateRequest {
  readonly subscriptionId: number
  readonly itemsToCreate: readonly CreateItem[]
}

interface ReadRequest {
  readonly nodesToRead: readonly { readonly nodeId: NodeId; readonly attributeId: number }[]
}

function value(number: number): DataValue {
  const now = new Date()
  return new DataValue({
    value: { dataType: DataType.Double, value: number },
    statusCode: StatusCodes.Good,
    sourceTimestamp: now,
    serverTimestamp: now,
  })
}

function attribute(id: number): DataValue {
  if (id === attributes.value) return value(0)
  if (id === attributes.dataType)
    return new DataValue({ value: { dataType: DataType.NodeId, value: resolveNodeId('i=11') } })
  return new DataValue({ statusCode: StatusCodes.BadAttributeIdInvalid })
}

const [folder = '.'] = process.argv.slice(2)
const certificates = new OPCUACertificateManager({
  rootFolder: folder,
  automaticallyAcceptUnknownCertificate: true,
  disableFileWatchers: true,
})
const server = new BenchServer({
  host: '127.0.0.1',
  hostname: '127.0.0.1',
  port: 0,
  serverCertificateManager: certificates,
  userCertificateManager: certificates,
  buildInfo: { productName: 'Fieldline bench (simulated)' },
})
await server.initialize()
server.engine.addressSpace!.registerNamespace('urn:fieldline:bench')
await server.start()
process.stdout.write(`opc.tcp://127.0.0.1:${server.endpoints[0]!.port}\n`)
setInterval(() => {
  server.change()
  process.stdout.write(`${server.sent}\n`)
}, interval)
