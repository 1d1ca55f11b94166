import { once } from 'node:events'
import { WebSocket } from 'ws'

export type Frame = { readonly type: string; readonly [name: string]: unknown }

/** As `/ws` takes it; one of them. */
export type Credential = { readonly token: string } | { readonly sourceId: string; readonly secret: string }

/**
 * One connection of version 1, and nothing that mends it: for tests that say each frame themselves. Keeps all that it was sent.
 */
export class PlainClient {
  readonly #socket: WebSocket
  readonly heard: string[] = []
  readonly frames: Frame[] = []
  /** The code of its close. */
  closed: number | null = null
  #changed: () => void = () => {}

  constructor(url: string, { origin }: { readonly origin?: string } = {}) {
    const address = `${url.replace(/^http/, 'ws')}/ws`
    this.#socket = new WebSocket(address, 'mpesa-stk.v1', { ...(origin !== undefined && { origin }) })
    this.#socket.on('message', (data: Buffer) => {
      this.heard.push(data.toString())
      this.frames.push(JSON.parse(data.toString()) as Frame)
      this.#changed()
    })
    this.#socket.on('error', () => {})
    this.#socket.on('close', code => {
      this.closed = code
      this.#changed()
    })
  }

  /** Opens, authenticates, and resolves with the answer: `ready` or an error. */
  static async open(
    url: string,
    credential: Credential,
    more: { readonly origin?: string } = {},
  ): Promise<PlainClient> {
    const client = new PlainClient(url, more)
    await once(client.#socket, 'open')
    client.send({ type: 'auth', ...credential })
    await client.until(({ type }) => type === 'ready' || type === 'error')
    return client
  }

  send(frame: object): void {
    this.#socket.send(JSON.stringify(frame))
  }

  of(type: string, id?: number): readonly Frame[] {
    return this.frames.filter(frame => frame.type === type && (id === undefined || frame['id'] === id))
  }

  /** The first frame that is so, from the `after`th on; rejects when the connection ends without one. */
  async until(isIt: (frame: Frame) => boolean, after = 0): Promise<Frame> {
    for (;;) {
      const found = this.frames.slice(after).find(isIt)
      if (found !== undefined) return found
      if (this.closed !== null) throw new Error(`closed with ${this.closed} after ${this.heard.join('\n')}`)
      await new Promise<void>(resolve => {
        this.#changed = resolve
      })
    }
  }

  /** What is answered to a frame that asks for something: `subscribed`, `error`, `ready`, `ended`, or the code of a close. */
  async ask(frame: object): Promise<Frame> {
    const after = this.frames.length
    this.send(frame)
    try {
      return await this.until(({ type }) => ['subscribed', 'error', 'ready', 'ended'].includes(type), after)
    } catch {
      return { type: 'closed', code: this.closed }
    }
  }

  [Symbol.dispose](): void {
    this.#socket.terminate()
  }
}
