import { EventEmitter } from 'node:events'
import { WebSocket } from 'ws'

export type OldClientOptions = {
  /** Of the relay: `http://…`. */
  readonly url: string
  readonly sourceId: string
  readonly secret: string
  /** As a page's browser sends it; without one it is a program. */
  readonly origin?: string
}

/** A frame as it came. */
export type OldFrame = { readonly type: string; readonly [name: string]: unknown }

/** What an old page is told of an event. */
export type OldEvent = { readonly type: string; readonly ResultCode?: string; readonly [name: string]: unknown }

type Heard = {
  readonly authenticated: []
  readonly event: [OldEvent]
  readonly frame: [OldFrame]
  readonly closed: [number]
}

const backoffMs = 100

/**
 * A client of the protocol before version 1, written from its description alone and never changed: pages that have one like
 * it are out there. Only close code 1000 makes it stay away.
 */
export class OldClient extends EventEmitter<Heard> {
  readonly #options: OldClientOptions
  #socket: WebSocket | null = null
  #again: NodeJS.Timeout | null = null
  #isWanted = false
  /** Every frame that it was ever sent, as text. */
  readonly heard: string[] = []
  /** The code of each close. */
  readonly closes: number[] = []
  /** How often it opened a connection. */
  dials = 0

  constructor(options: OldClientOptions) {
    super()
    this.#options = options
  }

  connect(): void {
    this.#isWanted = true
    this.#dial()
  }

  disconnect(): void {
    this.#isWanted = false
    if (this.#again !== null) clearTimeout(this.#again)
    this.#socket?.close(1000)
  }

  send(frame: object): void {
    this.#socket?.send(JSON.stringify(frame))
  }

  get isWaitingToReconnect(): boolean {
    return this.#again !== null
  }

  /** The frames of a type, in the order in which they came. */
  frames(type: string): readonly OldFrame[] {
    return this.heard.map(text => JSON.parse(text) as OldFrame).filter(frame => frame.type === type)
  }

  [Symbol.dispose](): void {
    this.disconnect()
  }

  #dial(): void {
    this.#again = null
    this.dials++
    const { url, sourceId, origin } = this.#options
    const address = `${url.replace(/^http/, 'ws')}/ws?source_id=${encodeURIComponent(sourceId)}`
    const socket = new WebSocket(address, { ...(origin !== undefined && { origin }) })
    this.#socket = socket
    socket.on('message', (data: Buffer) => this.#take(socket, data.toString()))
    // A close follows, and says all.
    socket.on('error', () => {})
    socket.on('close', code => {
      this.closes.push(code)
      if (this.#isWanted && code !== 1000) this.#again = setTimeout(() => this.#dial(), backoffMs)
      this.emit('closed', code)
    })
  }

  #take(socket: WebSocket, text: string): void {
    this.heard.push(text)
    const frame = JSON.parse(text) as OldFrame
    this.emit('frame', frame)
    if (frame.type === 'auth_required') socket.send(JSON.stringify({ type: 'auth', secret: this.#options.secret }))
    if (frame.type === 'auth_success') this.emit('authenticated')
    if (frame.type === 'event' || frame.type === 'replay') this.emit('event', frame['data'] as OldEvent)
  }
}
