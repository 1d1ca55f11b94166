import type { Environment } from './environment.ts'
import type { Link, LinkHandlers } from './link.ts'
import { createSseParser } from './sse-parser.ts'
import { type ClientFrame, parseJson, type RetryAdvice } from './wire.ts'

// Server-sent events and long poll: a chunk of its own, which only pages load whose WebSocket is blocked. Both look like a
// WebSocket to the client; here a subscription is a request that is made again and again.

const pollSeconds = 25
const silenceMs = { sse: 20_000, poll: (pollSeconds + 5) * 1_000 }
/** A response that ends sooner did not end by its own rule. */
const shortestMs = 1_000

export type FetchTarget = {
  readonly kind: 'sse' | 'poll'
  readonly url: string
  readonly fetch: typeof globalThis.fetch
  readonly environment: Environment
}

type Reader = {
  readonly id: number
  readonly stream: string
  from: string
  abort: (() => void) | null
  hasRead: boolean
}

export function openFetchLink(target: FetchTarget, handlers: LinkHandlers): Link {
  const { kind, environment } = target
  const readers = new Map<number, Reader>()
  let token = ''
  let isReady = false
  let isOver = false

  const stop = (): void => {
    isOver = true
    for (const { abort } of readers.values()) abort?.()
  }

  const goDown = (): void => {
    if (isOver) return
    stop()
    handlers.onDown()
  }

  /** The relay itself has answered, not something before it. */
  const answered = (): void => {
    handlers.onHeard()
    if (isReady) return
    isReady = true
    handlers.onFrame({ type: 'ready', ttlMs: null, heartbeatMs: silenceMs[kind] })
  }

  const take = (reader: Reader, frame: unknown): void => {
    if (isOver || readers.get(reader.id) !== reader) return
    const cursor = (frame as { cursor?: unknown } | null)?.cursor
    if (typeof cursor === 'string') reader.from = cursor
    if ((frame as { type?: unknown } | null)?.type === 'ended') readers.delete(reader.id)
    handlers.onFrame(frame === null ? null : { ...frame, id: reader.id })
  }

  const refuse = async (reader: Reader, response: Response): Promise<void> => {
    const body = parseJson(await response.text()) as Partial<Problem> | null
    const code = body?.reason ?? body?.error?.code
    if (isOver || readers.get(reader.id) !== reader) return
    // The relay has ten places for a token: whom there is none for waits for his, and leaves the others theirs.
    const isFull = response.status === 429 && readers.size > 1
    if (typeof code !== 'string' && !isFull) throw new TypeError('not the relay')
    const retryAfterMs = body?.retryAfterMs ?? (Number(response.headers.get('retry-after')) * 1_000 || undefined)
    const said = { code: code ?? 'too_many', error: body?.error?.message, retry: body?.retry ?? 'later', retryAfterMs }
    const problem = { type: 'error', ...said }
    const isRefused = response.status === 403 || response.status === 404 || response.status === 422
    if (isRefused) answered()
    const isOwn = isRefused || isFull
    if (isOwn) readers.delete(reader.id)
    handlers.onFrame(isOwn ? { ...problem, id: reader.id } : problem)
  }

  const isShort = (begunMs: number): boolean => environment.nowMs() - begunMs < shortestMs

  /** One request and its answer; resolves with whether to make the next one at once. */
  const request = async (reader: Reader): Promise<boolean> => {
    const abort = new AbortController()
    let cancelWatch = (): void => {}
    const watch = (): void => {
      cancelWatch()
      cancelWatch = environment.setTimer(goDown, silenceMs[kind])
    }
    reader.abort = () => {
      cancelWatch()
      abort.abort()
    }
    const begunMs = environment.nowMs()
    try {
      const accept = kind === 'sse' ? 'text/event-stream' : 'application/json'
      const init: RequestInit & { cache: 'no-store' } = {
        headers: { authorization: `Bearer ${token}`, accept },
        cache: 'no-store',
        credentials: 'omit',
        signal: abort.signal,
      }
      const response = await target.fetch(addressOf(target, reader), init)
      // Not before: without HTTP/2 a browser keeps a seventh request back until one of six is over.
      watch()
      if (response.status === 204) {
        answered()
        take(reader, { type: 'ended', reason: 'over' })
        return false
      }
      if (!response.ok) {
        await refuse(reader, response)
        return false
      }
      if (kind === 'poll') {
        const page = (await response.json()) as { frames?: unknown; cursor?: unknown }
        if (!Array.isArray(page.frames) || typeof page.cursor !== 'string') throw new TypeError('no page of frames')
        answered()
        for (const frame of page.frames) take(reader, frame)
        if (page.frames.length === 0) {
          take(reader, { type: 'live', cursor: page.cursor })
          if (reader.hasRead && isShort(begunMs)) throw new TypeError('a poll that does not wait')
        }
        reader.hasRead = true
        reader.from = page.cursor
        return true
      }
      if (!response.headers.get('content-type')?.includes('text/event-stream')) throw new TypeError('no event stream')
      const parse = createSseParser(data => take(reader, parseJson(data)))
      const body = response.body?.getReader()
      const decoder = new TextDecoder()
      for (let part = await body?.read(); part && !part.done; part = await body?.read()) {
        watch()
        answered()
        parse(decoder.decode(part.value, { stream: true }))
      }
      if (isShort(begunMs)) throw new TypeError('ended at once')
      return true
    } finally {
      cancelWatch()
    }
  }

  const read = async (reader: Reader): Promise<void> => {
    const isCurrent = (): boolean => !isOver && readers.get(reader.id) === reader
    try {
      while (isCurrent() && (await request(reader)));
    } catch {
      if (isCurrent()) goDown()
    }
  }

  const begin = (id: number, stream: string, from: string): void => {
    readers.get(id)?.abort?.()
    const reader: Reader = { id, stream, from, abort: null, hasRead: false }
    readers.set(id, reader)
    void read(reader)
  }

  const send = (frame: ClientFrame): void => {
    if (isOver) return
    if (frame.type === 'auth' || frame.type === 'refresh') token = 'token' in frame ? frame.token : frame.secret
    else if (frame.type === 'subscribe') begin(frame.id, frame.stream, frame.from)
    else if (frame.type === 'unsubscribe') {
      const reader = readers.get(frame.id)
      readers.delete(frame.id)
      reader?.abort?.()
    } else if (frame.type === 'ping') {
      // There is nothing to ask on a response. A new one is answered at once.
      for (const { id, stream, from } of [...readers.values()]) begin(id, stream, from)
    }
  }

  environment.setTimer(() => isOver || handlers.onFrame({ type: 'hello', version: 1 }), 0)
  return { send, close: stop }
}

type Problem = {
  /** One of the codes of streams. Absent: `error` has the one that all routes know. */
  readonly reason: unknown
  readonly error: { readonly code: unknown; readonly message: unknown }
  readonly retry: RetryAdvice
  readonly retryAfterMs: number
}

function addressOf({ kind, url }: FetchTarget, { stream, from, hasRead }: Reader): string {
  const place = `${from === 'start' || from === 'now' ? 'from' : 'after'}=${encodeURIComponent(from)}`
  const wait = kind === 'poll' ? `&wait=${hasRead ? pollSeconds : 0}` : ''
  return `${url}/v1/streams/${encodeURIComponent(stream)}/events?${place}${wait}`
}
