import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import type { PaymentEvent } from '../payment-event.ts'

type Entry = { readonly stream: string; readonly position: number; readonly event: PaymentEvent }
type Problem = {
  readonly code: string
  readonly retry: string
  readonly retryAfterMs?: number
  readonly close?: number
}
type Frame = { readonly type: string; readonly [field: string]: unknown }

/** A relay as docs/streams.md has it, on real sockets, that misbehaves on demand. Not secure, and nothing is kept. */
export class FakeRelay implements AsyncDisposable {
  /** What is refused, per token. */
  judge: (token: string) => Problem | null = () => null
  /** What is refused, per stream. */
  judgeStream: (stream: string) => Problem | null = () => null
  ttlMs: number | null = null
  heartbeatMs = 25_000
  /** Refuses the upgrade, as a proxy may. */
  blocksWebSocket = false
  /** Answers what is no event stream. */
  blocksSse = false
  /** So many event streams at once, as for one token. */
  places = Infinity
  /** Takes requests, and answers none. */
  answersHttp = true
  /** A long poll is answered at once, although there is nothing. */
  pollsAtOnce = false
  saysHello = true
  answersAuth = true
  answersPing = true
  /** Cuts the connection after so many more events, once for each number. */
  cutAfterEvents: number[] = []
  /** Sends each event so often. */
  copies = 1
  readonly received: Frame[] = []
  readonly requests: string[] = []
  readonly upgrades: string[] = []
  readonly authorizations: (string | undefined)[] = []
  url = ''

  #epoch = 'e1'
  #entries: Entry[] = []
  readonly #ended = new Set<string>()
  readonly #server = createServer((request, response) => this.#answer(request, response))
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: protocols => [...protocols][0] ?? false })
  readonly #live = new Set<{ stream: string; send: (frame: Frame) => void; sink: object }>()

  static async start(): Promise<FakeRelay> {
    const relay = new FakeRelay()
    const server = relay.#server
    server.on('upgrade', (request, socket, head) => {
      relay.upgrades.push(request.url ?? '')
      if (relay.blocksWebSocket) socket.destroy()
      else relay.#sockets.handleUpgrade(request, socket, head, accepted => relay.#serve(accepted))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    relay.url = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`
    return relay
  }

  get connections(): number {
    return this.#sockets.clients.size
  }

  /** How many subscriptions are served live. */
  get subscriptions(): number {
    return this.#live.size
  }

  frames(type: string): Frame[] {
    return this.received.filter(frame => frame.type === type)
  }

  publish(stream: string, fields: Partial<PaymentEvent> = {}): PaymentEvent {
    const position = this.#entries.length + 1
    const event: PaymentEvent = {
      id: `${this.#epoch}-event-${position}`,
      type: 'mpesa_callback',
      at: '2026-11-24T08:00:00.000Z',
      paymentId: stream.replace('payment:', ''),
      status: 'SUCCESS',
      ResultCode: '0',
      explanation: null,
      contradicts: null,
      ...fields,
    }
    const entry = { stream, position, event }
    this.#entries.push(entry)
    for (const reader of [...this.#live]) if (shows(reader.stream, entry)) this.#send(reader, entry)
    return event
  }

  /** The store is another one, with nothing in it. */
  restore(): void {
    this.#epoch = 'e2'
    this.#entries = []
    this.cut()
  }

  end(stream: string): void {
    this.#ended.add(stream)
    for (const reader of [...this.#live]) if (reader.stream === stream) reader.send({ type: 'ended', reason: 'over' })
  }

  /** Ends the responses of event streams, as after four minutes. */
  rotate(): void {
    for (const { sink } of [...this.#live]) if ('end' in sink) (sink as ServerResponse).end()
  }

  /** Ends every connection without a word. */
  cut(): void {
    for (const socket of this.#sockets.clients) socket.terminate()
    this.#server.closeAllConnections()
  }

  /** To every WebSocket, whatever it is. */
  say(text: string): void {
    for (const socket of this.#sockets.clients) socket.send(text)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #serve(socket: WebSocket): void {
    const send = (frame: Frame): void => socket.send(JSON.stringify(frame))
    const refuse = ({ close, ...problem }: Problem, id?: number): void => {
      send({ type: 'error', error: problem.code, ...problem, ...(id === undefined ? {} : { id }) })
      if (close !== undefined) socket.close(close)
    }
    if (this.saysHello) send({ type: 'hello', version: 1 })
    socket.on('error', () => {})
    socket.on('close', () => this.#leave(socket))
    socket.on('message', data => {
      const frame = JSON.parse((data as Buffer).toString()) as Frame
      this.received.push(frame)
      const id = Number(frame['id'])
      if (frame.type === 'auth' || frame.type === 'refresh') {
        if (!this.answersAuth) return
        const problem = this.judge(String(frame['token'] ?? frame['secret']))
        if (problem) refuse(problem)
        else send({ type: 'ready', ttlMs: this.ttlMs, heartbeatMs: this.heartbeatMs })
      } else if (frame.type === 'subscribe') {
        const stream = String(frame['stream'])
        const problem = this.judgeStream(stream) ?? this.#judgeCursor(String(frame['from']))
        if (problem) refuse(problem, id)
        else {
          send({ type: 'subscribed', id, stream })
          this.#replay(stream, String(frame['from']), socket, reply => send({ ...reply, id }))
        }
      } else if (frame.type === 'ping' && this.answersPing) send({ type: 'pong' })
    })
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', this.url)
    this.requests.push(`${request.headers.accept} ${url.pathname}${url.search}`)
    this.authorizations.push(request.headers.authorization)
    const stream = decodeURIComponent(url.pathname.split('/')[3] ?? '')
    const from = url.searchParams.get('after') ?? url.searchParams.get('from') ?? 'start'
    const isSse = request.headers.accept === 'text/event-stream'
    const ofToken = this.judge((request.headers.authorization ?? '').replace('Bearer ', ''))
    const isFull = isSse && this.#live.size >= this.places
    const problem = ofToken ?? this.judgeStream(stream) ?? this.#judgeCursor(from) ?? (isFull ? tooMany : null)
    if (!this.answersHttp) return
    if (isSse && this.blocksSse) {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>No</h1>')
    } else if (problem) {
      refuse(response, problem)
    } else if (this.#ended.has(stream)) {
      response.writeHead(204).end()
    } else if (isSse) {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(': here\n\n')
      response.on('close', () => this.#leave(response))
      this.#replay(stream, from, response, frame =>
        response.write(`id: ${String(frame['cursor'])}\ndata: ${JSON.stringify(frame)}\n\n`),
      )
    } else {
      this.#poll(stream, from, url.searchParams.get('wait') !== '0', response)
    }
  }

  #poll(stream: string, from: string, waits: boolean, response: ServerResponse): void {
    const frames: Frame[] = []
    const answer = (): void => {
      if (response.writableEnded) return
      this.#leave(response)
      const last = frames.findLast(frame => frame['cursor'] !== undefined)
      const body = { frames, cursor: last?.['cursor'] ?? this.#cursor(this.#entries.length) }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    let isReplayed = false
    const collect = (frame: Frame): void => {
      if (waits && frame.type === 'live' && frames.length === 0) return
      frames.push(frame)
      if (isReplayed) answer()
    }
    response.on('close', () => this.#leave(response))
    this.#replay(stream, from, response, collect)
    isReplayed = true
    if (!waits || frames.length > 0 || this.pollsAtOnce) answer()
  }

  #replay(stream: string, from: string, sink: object, send: (frame: Frame) => void): void {
    const [epoch, position] = from.split('.')
    const isCursor = from !== 'start' && from !== 'now'
    const isOld = isCursor && epoch !== this.#epoch
    if (isOld) send({ type: 'gap', reason: 'restored' })
    const after = from === 'now' ? this.#entries.length : isCursor && !isOld ? Number(position) : 0
    const reader = { stream, send, sink }
    this.#live.add(reader)
    for (const entry of this.#entries) {
      if (entry.position <= after || !shows(stream, entry)) continue
      if (!this.#send(reader, entry)) return
    }
    send({ type: 'live', cursor: this.#cursor(this.#entries.length) })
  }

  #send(reader: { send: (frame: Frame) => void; sink: object }, { position, event }: Entry): boolean {
    if (this.cutAfterEvents[0] !== undefined && this.cutAfterEvents[0]-- === 0) {
      this.cutAfterEvents.shift()
      // What was written before is still read by the other side: it is closed, not reset.
      for (const socket of this.#sockets.clients) socket.close(1012)
      for (const { sink } of [...this.#live]) if ('destroy' in sink) (sink as ServerResponse).end()
      this.#live.clear()
      return false
    }
    for (let copy = 0; copy < this.copies; copy++) {
      reader.send({ type: 'event', cursor: this.#cursor(position), event })
    }
    return true
  }

  #cursor(position: number): string {
    return `${this.#epoch}.${position}`
  }

  #judgeCursor(from: string): Problem | null {
    const isWellFormed = from === 'start' || from === 'now' || /^e\d\.\d+$/.test(from)
    return isWellFormed ? null : { code: 'cursor_invalid', retry: 'never' }
  }

  #leave(sink: object): void {
    for (const reader of [...this.#live]) if (reader.sink === sink) this.#live.delete(reader)
  }
}

const tooMany: Problem = { code: 'too_many', retry: 'later', retryAfterMs: 10_000 }

const statusOf: Readonly<Record<string, number>> = {
  origin_refused: 403,
  stream_refused: 403,
  stream_unknown: 404,
  cursor_invalid: 422,
  over_quota: 429,
  too_many: 429,
  unavailable: 503,
  restarting: 503,
}

/** Two codes: the one that every route of the relay answers with, and beside it the reason that streams have. */
function refuse(response: ServerResponse, { code: reason, retry, retryAfterMs }: Problem): void {
  const headers = retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) }
  const error = { code: 'MPESA_STK_RELAY_REQUEST_INVALID', message: `this is ${reason}` }
  response
    .writeHead(statusOf[reason] ?? 401, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify({ error, reason, retry, retryAfterMs }))
}

function shows(stream: string, entry: Entry): boolean {
  return stream === 'source' || entry.stream === stream
}
