import { connectPayments, type PaymentsClient } from 'mpesa-stk-client'
import { WebSocket } from 'ws'
import type { Order, Report, Subscriber } from './subscriber-orders.ts'

// A process with many subscribers, which does what the bench tells it.

/** A relay lets so many connect at once from one address before they have said who they are. */
const connectAtOnce = 40

let received: [string, number][] = []
let lastLiveAtMs = 0
const live = new Set<string>()
const sockets: WebSocket[] = []
const clients: PaymentsClient[] = []
let subscribed: readonly Subscriber[] = []

const nowMs = (): number => performance.timeOrigin + performance.now()

function goesLive(name: string): void {
  live.add(name)
  lastLiveAtMs = nowMs()
}

function connect(url: string, localAddress: string, { token, streams }: Subscriber, index: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { localAddress, perMessageDeflate: false }
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws`, 'mpesa-stk.v1', options)
    sockets[index] = socket
    socket.on('error', reject)
    socket.on('close', code => reject(new Error(`closed with ${code}`)))
    socket.on('message', (data: Buffer) => {
      const at = nowMs()
      const frame = JSON.parse(data.toString())
      if (frame.type === 'event') take(frame.event.MpesaReceiptNumber, at)
      else if (frame.type === 'hello') socket.send(JSON.stringify({ type: 'auth', token }))
      else if (frame.type === 'ready') subscribe(socket, 0, streams[0] ?? '')
      else if (frame.type === 'ping') socket.send('{"type":"pong"}')
      else if (frame.type === 'live') {
        goesLive(`${index} ${frame.id}`)
        resolve()
      } else if (frame.type === 'error') reject(new Error(data.toString()))
    })
  })
}

/** A payment that is pending has no receipt. */
function take(receipt: string | undefined, at: number): void {
  if (receipt !== undefined) received.push([receipt, at])
}

function subscribe(socket: WebSocket, id: number, stream: string): void {
  socket.send(JSON.stringify({ type: 'subscribe', id, stream, from: stream === 'source' ? 'now' : 'start' }))
}

async function openAll({ url, address, subscribers }: Extract<Order, { kind: 'open' }>): Promise<void> {
  subscribed = subscribers
  let next = 0
  const one = async (): Promise<void> => {
    for (let index = next++; index < subscribers.length; index = next++) {
      const subscriber = subscribers[index]
      if (subscriber !== undefined) await connect(url, address, subscriber, index)
    }
  }
  await Promise.all(Array.from({ length: connectAtOnce }, one))
}

async function openClients({ url, address, subscribers }: Extract<Order, { kind: 'open-clients' }>): Promise<void> {
  class FromAddress extends WebSocket {
    constructor(to: string, protocols: string) {
      super(to, protocols, { localAddress: address, perMessageDeflate: false })
    }
  }
  for (const [index, { token, streams }] of subscribers.entries()) {
    const client = connectPayments({
      url,
      webSocket: FromAddress as never,
      transports: ['websocket'],
      storage: null,
      getToken: async () => token,
    })
    clients.push(client)
    const isLive = new Promise<void>(resolve => {
      client.subscribe(streams[0] ?? '', {
        onEvent: ({ MpesaReceiptNumber: receipt }) => take(receipt, nowMs()),
        onState({ state }) {
          if (state !== 'live') return void live.delete(`${index}`)
          goesLive(`${index}`)
          resolve()
        },
      })
    })
    // The first time one after the other; when the relay comes back, all at once.
    if (index % connectAtOnce === 0) await isLive
  }
}

function report(): Report {
  const told = { live: live.size, lastLiveAtMs, received }
  received = []
  return told
}

process.on('disconnect', () => process.exit())
process.on('message', (order: Order) => {
  const answer = (what: Report | { readonly error: string }): void => void process.send?.(what)
  const failed = (error: unknown): void => answer({ error: String(error) })
  if (order.kind === 'open') openAll(order).then(() => answer(report()), failed)
  else if (order.kind === 'open-clients') openClients(order).then(() => answer(report()), failed)
  else if (order.kind === 'all-streams') {
    for (const [index, { streams }] of subscribed.entries()) {
      const socket = sockets[index]
      if (socket !== undefined) for (const [id, stream] of streams.entries()) if (id > 0) subscribe(socket, id, stream)
    }
    answer(report())
  } else if (order.kind === 'report') answer(report())
  else process.exit(0)
})
