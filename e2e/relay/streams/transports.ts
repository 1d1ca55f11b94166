import type { Frame } from './socket-client.ts'
import { SocketClient } from './socket-client.ts'

export type StreamRequest = {
  readonly url: string
  readonly token: string
  readonly stream: string
  /** A cursor, `start` or `now`. */
  readonly from?: string
  readonly origin?: string
}

/** A reader of one stream: frames of version 1, one after the other, whatever carries them. */
export type Reader = AsyncDisposable & {
  /** The next frame, or how it ended. */
  next(): Promise<Frame>
}

/** What is told at the end, where there is no frame for it. */
const ended = (code: string): Frame => ({ type: 'closed', code })

async function overSocket({ url, token, stream, from = 'start', origin }: StreamRequest): Promise<Reader> {
  const client = new SocketClient(url, { headers: origin === undefined ? {} : { origin } })
  await client.until('hello')
  client.send({ type: 'auth', token })
  const first = await client.next()
  if (first.type === 'ready') client.send({ type: 'subscribe', id: 1, stream, from })
  let isRefused = first.type !== 'ready'
  return {
    async next() {
      if (isRefused) {
        isRefused = false
        return first
      }
      for (;;) {
        const frame = await client.next().catch(async () => ended(String(await client.closed)))
        if (frame.type === 'subscribed' || frame.type === 'ping') continue
        return frame
      }
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}

function ask(
  { url, token, stream, from = 'start', origin }: StreamRequest,
  query: string,
  headers: object,
  signal: AbortSignal,
) {
  const where = from === 'start' || from === 'now' ? `from=${from}` : `after=${from}`
  return fetch(`${url}/v1/streams/${encodeURIComponent(stream)}/events?${where}${query}`, {
    headers: { authorization: `Bearer ${token}`, ...(origin !== undefined && { origin }), ...headers },
    signal,
  })
}

async function refusal(response: Response): Promise<Frame> {
  if (response.status === 204) return { type: 'ended', reason: 'over' }
  const { reason = '', retry = '' } = (await response.json()) as { reason?: string; retry?: string }
  return { type: 'error', code: reason, retry, status: response.status }
}

async function overEvents(request: StreamRequest): Promise<Reader> {
  const stop = new AbortController()
  const response = await ask(request, '', { accept: 'text/event-stream' }, stop.signal)
  const reader = response.status === 200 ? response.body?.pipeThrough(new TextDecoderStream()).getReader() : undefined
  let text = ''
  return {
    async next() {
      if (reader === undefined) return refusal(response)
      for (;;) {
        const end = text.indexOf('\n\n')
        if (end !== -1) {
          const lines = text.slice(0, end).split('\n')
          text = text.slice(end + 2)
          const data = lines.find(line => line.startsWith('data: '))
          if (data === undefined) continue
          const frame = JSON.parse(data.slice(6)) as Frame
          const id = lines.find(line => line.startsWith('id: '))?.slice(4)
          if (frame.cursor !== id) throw new Error('the id is not the cursor')
          return frame
        }
        const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }))
        if (done || value === undefined) return ended('end')
        text += value
      }
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
    },
  }
}

async function overPolls(request: StreamRequest): Promise<Reader> {
  const stop = new AbortController()
  const frames: Frame[] = []
  let from = request.from ?? 'start'
  return {
    async next() {
      for (;;) {
        const frame = frames.shift()
        if (frame !== undefined) return frame
        const response = await ask({ ...request, from }, '&wait=1', {}, stop.signal)
        if (response.status !== 200) return refusal(response)
        const page = (await response.json()) as { frames: Frame[]; cursor: string }
        from = page.cursor
        frames.push(...page.frames)
      }
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
    },
  }
}

export const transports: readonly (readonly [string, (request: StreamRequest) => Promise<Reader>])[] = [
  ['WebSocket', overSocket],
  ['server-sent events', overEvents],
  ['long poll', overPolls],
]

/** So many events. */
export async function readEvents(reader: Reader, count: number): Promise<readonly Frame[]> {
  const events: Frame[] = []
  while (events.length < count) {
    const frame = await reader.next()
    if (frame.type === 'event') events.push(frame)
    else if (frame.type !== 'live') throw new Error(`${events.length} events, then ${JSON.stringify(frame)}`)
  }
  return events
}

/** Everything up to the first frame of this type. */
export async function readUntil(reader: Reader, type: string): Promise<readonly Frame[]> {
  const frames: Frame[] = []
  for (;;) {
    const frame = await reader.next()
    frames.push(frame)
    if (frame.type === type) return frames
    if (frame.type === 'closed' || frame.type === 'error') throw new Error(`ended: ${JSON.stringify(frames)}`)
  }
}
