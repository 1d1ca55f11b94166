import { createServer } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import { tellMemory } from './tell-memory.ts'

// The limit that streams are measured by: it parses what is posted, keeps nothing, looks nothing up, and passes on a frame of the
// same length to whoever asked for the payment, or for all.
tellMemory()
const streams = new Map<string, Map<WebSocket, number>>()
const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const { Body } = JSON.parse(Buffer.concat(chunks).toString())
    const { CheckoutRequestID, CallbackMetadata } = Body.stkCallback
    const MpesaReceiptNumber = CallbackMetadata.Item[1].Value
    for (const stream of ['source', `payment:${CheckoutRequestID}`]) {
      for (const [socket, id] of streams.get(stream) ?? []) {
        const event = { type: 'mpesa_callback', MpesaReceiptNumber, padding: 'x'.repeat(300) }
        socket.send(JSON.stringify({ type: 'event', id, cursor: '', event }))
      }
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"ResultCode":0,"ResultDesc":"Success"}')
  })
})
new WebSocketServer({ server, perMessageDeflate: false }).on('connection', socket => {
  const say = (frame: object): void => socket.send(JSON.stringify(frame))
  const left: (() => void)[] = []
  say({ type: 'hello', version: 1 })
  socket.on('message', (data: Buffer) => {
    const { type, id, stream } = JSON.parse(data.toString())
    if (type === 'auth') say({ type: 'ready', ttlMs: null, heartbeatMs: 25_000 })
    if (type !== 'subscribe') return
    const subscribers = streams.get(stream) ?? new Map<WebSocket, number>()
    streams.set(stream, subscribers.set(socket, id))
    left.push(() => subscribers.delete(socket))
    say({ type: 'subscribed', id, stream })
    say({ type: 'live', id, cursor: '' })
  })
  socket.on('close', () => {
    for (const leave of left) leave()
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(`ready http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`)
})
