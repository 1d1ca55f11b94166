import { once } from 'node:events'
import { WebSocket } from 'ws'

/** A frame of the server, of either protocol. */
export type Frame = {
  readonly type: string
  readonly id?: number
  readonly cursor?: string
  readonly code?: string
  readonly reason?: string
  readonly retry?: string
  readonly ttlMs?: number | null
  readonly event?: StreamedEvent
  readonly data?: StreamedEvent
  readonly [field: string]: unknown
}

export type StreamedEvent = {
  readonly id: string
  readonly type: string
  readonly paymentId: string
  readonly status: string
  readonly CheckoutRequestID?: string
  readonly MpesaReceiptNumber?: string
  readonly [field: string]: unknown
}

type Options = {
  readonly query?: string
  readonly isOld?: boolean
  readonly headers?: Readonly<Record<string, string>>
  /** Subscribes when it is told that it may. */
  readonly onFrame?: (frame: Frame) => void
}

/** A client of `/ws` by the wire alone. */
export class SocketClient implements AsyncDisposable {
  readonly socket: WebSocket
  readonly frames: Frame[] = []
  readonly closed: Promise<number>
  #read = 0
  #waiting: (() => void)[] = []

  constructor(url: string, { query = '', isOld = false, headers = {}, onFrame }: Options = {}) {
    const address = `${url.replace('http', 'ws')}/ws${query === '' ? '' : `?${query}`}`
    this.socket = new WebSocket(address, isOld ? [] : ['mpesa-stk.v1'], { headers })
    this.socket.on('message', data => {
      const frame = JSON.parse((data as Buffer).toString()) as Frame
      // On a machine that is slow enough it is asked whether it is there.
      if (frame.type === 'ping') return this.send({ type: 'pong' })
      this.frames.push(frame)
      onFrame?.(frame)
      this.#wake()
    })
    this.closed = new Promise(resolve => {
      this.socket.on('close', code => {
        resolve(code)
        this.#wake()
      })
    })
    this.socket.on('error', () => this.#wake())
  }

  send(frame: object | string): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
  }

  /** The next frame that has not been read; rejects when the connection ends instead. */
  async next(): Promise<Frame> {
    for (;;) {
      const frame = this.frames[this.#read]
      if (frame !== undefined) {
        this.#read++
        return frame
      }
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error('the connection ended')
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    }
  }

  /** Reads on to the first frame of this type. */
  async until(type: string): Promise<Frame> {
    for (;;) {
      const frame = await this.next()
      if (frame.type === type) return frame
    }
  }

  /** So many events, from here on. */
  async events(count: number): Promise<readonly Frame[]> {
    const events: Frame[] = []
    while (events.length < count) events.push(await this.until('event'))
    return events
  }

  async authenticate(credentials: object): Promise<Frame> {
    await this.until('hello')
    this.send({ type: 'auth', ...credentials })
    return this.until('ready')
  }

  async subscribe(stream: string, more: object = {}): Promise<void> {
    this.send({ type: 'subscribe', id: 1, stream, ...more })
    await this.until('subscribed')
  }

  /** Ends at once, as a phone in a lift. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return
    const closed = once(this.socket, 'close')
    this.socket.terminate()
    await closed
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }
}
