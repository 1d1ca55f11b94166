import { connect, createServer, type Server, type Socket } from 'node:net'
import { listen } from '../relay/relay-floor.ts'

/** What is wrong with the way, for every connection over it, those that are open included. */
export type Fault =
  | { readonly kind: 'none' }
  /** New connections are refused; those that are open go on. */
  | { readonly kind: 'refuse' }
  /** Half-open: connections are accepted and stay, and nothing gets through. What was sent arrives when the way is mended. */
  | { readonly kind: 'stall' }
  /** Only what goes this way gets through; the other is stalled. */
  | { readonly kind: 'one-way'; readonly towards: Side }
  | { readonly kind: 'delay'; readonly ms: number }
  /** A connection is reset once so many bytes have come from the server over it, those before the fault included. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** A box that reads along: who sends what matches is reset. */
  | { readonly kind: 'block'; readonly pattern: RegExp }

type Side = 'client' | 'server'

/** A TCP way to a server of this machine that can be made as bad as the ways of the world. */
export type FaultyProxy = AsyncDisposable & {
  readonly port: number
  readonly url: string
  /** How many connections are open, and how many there have been. */
  readonly open: number
  readonly total: number
  /** What clients asked for over it: the first line of each HTTP request. */
  readonly requests: readonly string[]
  /** Resolves when it is so. */
  suffer(fault: Fault): Promise<void>
  /** Resets every connection that is open; how many there were. */
  dropAll(): number
  /** Every connection that is open stays so and passes nothing ever again, as after a router forgot it; new ones are good. */
  forgetAll(): number
  /** Where new connections go from now on. */
  aim(port: number): void
}

export async function openFaultyProxy(targetPort: number): Promise<FaultyProxy> {
  const ways = new Set<Way>()
  const requests: string[] = []
  let [target, total] = [targetPort, 0]
  let fault: Fault = { kind: 'none' }
  let server: Server | null = null
  async function accept(port: number): Promise<number> {
    server = createServer({ noDelay: true, allowHalfOpen: true }, socket => {
      total++
      const onward = connect({ host: '127.0.0.1', port: target, noDelay: true, allowHalfOpen: true })
      const way = new Way(socket, onward, () => fault, requests)
      ways.add(way)
      for (const each of [socket, onward]) each.once('close', () => ways.delete(way))
    })
    return await listen(server as never, port)
  }
  const port = await accept(0)
  /** The port is given back at once; what is open stays so. */
  function refuse(): void {
    server?.close()
    server = null
  }
  function dropAll(): number {
    const dropped = ways.size
    for (const way of ways) way.reset()
    return dropped
  }
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    get open() {
      return ways.size
    },
    get total() {
      return total
    },
    requests,
    async suffer(next) {
      fault = next
      if (next.kind === 'refuse') refuse()
      else if (server === null) await accept(port)
      for (const way of ways) way.look()
    },
    dropAll,
    forgetAll() {
      for (const way of ways) way.forget()
      return ways.size
    },
    aim(next) {
      target = next
    },
    async [Symbol.asyncDispose]() {
      refuse()
      dropAll()
    },
  }
}

/** One connection: two sockets, and what is on the way between them. */
class Way {
  readonly #client: Socket
  readonly #server: Socket
  readonly #fault: () => Fault
  readonly #requests: string[]
  #fromServer = 0
  #isForgotten = false

  constructor(client: Socket, server: Socket, fault: () => Fault, requests: string[]) {
    this.#client = client
    this.#server = server
    this.#fault = fault
    this.#requests = requests
    this.#carry(client, server, 'server')
    this.#carry(server, client, 'client')
    this.look()
  }

  /** The fault is another: what was held may pass, or is held from now on. */
  look(): void {
    const fault = this.#fault()
    const passes = (towards: Side): boolean =>
      !this.#isForgotten && fault.kind !== 'stall' && (fault.kind !== 'one-way' || fault.towards === towards)
    // Not read, so that TCP itself holds it, and an end goes unnoticed as well.
    for (const [source, towards] of [[this.#client, 'server'] as const, [this.#server, 'client'] as const]) {
      if (passes(towards)) source.resume()
      else source.pause()
    }
    if (fault.kind === 'cut' && this.#fromServer >= fault.afterBytes) this.reset()
  }

  forget(): void {
    this.#isForgotten = true
    this.look()
  }

  reset(): void {
    for (const socket of [this.#client, this.#server]) {
      if (socket.connecting) socket.destroy()
      else socket.resetAndDestroy()
    }
  }

  #carry(source: Socket, sink: Socket, towards: Side): void {
    // One after the other, whatever the delay was when each came.
    let onTheWay = Promise.resolve()
    const later = (work: () => void): void => {
      const fault = this.#fault()
      const due = Date.now() + (fault.kind === 'delay' ? fault.ms : 0)
      onTheWay = onTheWay
        .then(async () => {
          const leftMs = due - Date.now()
          if (leftMs > 0) await new Promise(resolve => setTimeout(resolve, leftMs))
        })
        .then(work)
    }
    source.on('data', (chunk: Buffer) => {
      const passed = towards === 'server' ? this.#readAlong(chunk) : this.#upToTheCut(chunk)
      if (passed === null) return
      later(() => {
        if (sink.writable && !sink.write(passed)) {
          source.pause()
          sink.once('drain', () => this.look())
        }
      })
    })
    source.on('end', () => later(() => sink.end()))
    source.on('error', () => this.reset())
    source.on('close', () => later(() => sink.destroy()))
  }

  #readAlong(chunk: Buffer): Buffer | null {
    const text = chunk.toString('latin1')
    const line = /^[A-Z]+ \S+(?= HTTP\/1)/.exec(text)?.[0]
    if (line !== undefined) this.#requests.push(line)
    const fault = this.#fault()
    if (fault.kind !== 'block' || !fault.pattern.test(text)) return chunk
    this.reset()
    return null
  }

  #upToTheCut(chunk: Buffer): Buffer {
    const fault = this.#fault()
    const left = fault.kind === 'cut' ? fault.afterBytes - this.#fromServer : chunk.length
    this.#fromServer += chunk.length
    if (chunk.length < left || fault.kind !== 'cut') return chunk
    // What was let through is on its way before the reset takes the rest.
    setImmediate(() => this.#client.write('', () => this.reset()))
    return chunk.subarray(0, Math.max(0, left))
  }
}
