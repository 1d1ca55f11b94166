import { type ConnectionStatus, connectPayments, type Environment, type StreamStatus } from 'mpesa-stk-client'

/** What the test hears of a page; it outlives the page's reloads. */
export type Told =
  | {
      readonly kind: 'event'
      readonly stream: string
      readonly id: string
      readonly type: string
      readonly status: string
    }
  | { readonly kind: 'stream'; readonly stream: string; readonly status: StreamStatus }
  | { readonly kind: 'connection'; readonly status: ConnectionStatus }
  | { readonly kind: 'error'; readonly code: string }

type Page = typeof globalThis & {
  readonly location: { readonly search: string }
  readonly document: {
    readonly visibilityState: string
    addEventListener(type: string, listener: () => void): void
  }
  addEventListener(type: string, listener: () => void): void
  /** Of the test. */
  readonly tell: (told: Told) => void
  /** The test's: so much time has gone by at once. */
  skip: (ms: number) => void
}

const page = globalThis as Page
const query = new URLSearchParams(page.location.search)
const streams = (query.get('payments') ?? '').split(',').map(each => (each === 'source' ? each : `payment:${each}`))

let skippedMs = 0
const timers = new Set<() => void>()
const environment: Environment = {
  nowMs: () => performance.now() + skippedMs,
  random: () => Math.random(),
  setTimer(run, delayMs) {
    const look = (): void => {
      timers.delete(look)
      clearTimeout(timer)
      run()
    }
    const timer = setTimeout(look, delayMs)
    timers.add(look)
    return () => {
      timers.delete(look)
      clearTimeout(timer)
    }
  },
  onSignal(listener) {
    page.document.addEventListener('visibilitychange', () => {
      if (page.document.visibilityState === 'visible') listener('wake')
    })
    page.addEventListener('online', () => listener('online'))
    page.addEventListener('offline', () => listener('offline'))
    return () => {}
  },
}
page.skip = ms => {
  skippedMs += ms
  // They come too early, which does no harm: who looks at the clock finds that it is time.
  for (const look of [...timers]) look()
}

const client = connectPayments({
  url: query.get('relay') ?? '',
  ...(query.has('skips') && { environment }),
  async getToken() {
    const response = await fetch(`token?streams=${streams.join(',')}`)
    if (!response.ok) throw new Error(`the shop answered ${response.status}`)
    return (await response.json()) as { token: string; ttlMs: number }
  },
  onError: ({ code }) => page.tell({ kind: 'error', code }),
})
client.onState(status => page.tell({ kind: 'connection', status }))
for (const stream of streams) {
  client.subscribe(stream, {
    onEvent: ({ id, type, status }) => page.tell({ kind: 'event', stream, id, type, status }),
    onState: status => page.tell({ kind: 'stream', stream, status }),
  })
}
