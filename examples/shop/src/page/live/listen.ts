import { connectPayments, type PaymentEvent, type StreamState, type WebSocketConstructor } from 'mpesa-stk-client'

/**
 * How this page hears of payments. It says nothing about any payment. `late`: for some seconds it has not heard; `offline`: for
 * so long that people should go by something else; `closed`: it will not hear again by itself.
 */
export type LineState = 'connecting' | 'live' | 'late' | 'offline' | 'closed'

export type Listening = { close(): void }

export type ListenOptions = {
  /** `payment:<id>`, or `source` for every payment. */
  readonly stream: string
  /** `isMissed`: it happened while this page was cut off, after it had been live. */
  readonly onEvent: (event: PaymentEvent, isMissed: boolean) => void
  readonly onLine: (line: LineState) => void
  /** Something of what happened will never be told. */
  readonly onGap?: () => void
  /** Any sign of life of the relay. */
  readonly onHeard?: () => void
  /** The shop's time, told with each token: a cheap tablet knows neither hour nor day. */
  readonly onShopTime?: (atMs: number) => void
}

type Page = { readonly location: { readonly origin: string }; readonly WebSocket?: WebSocketConstructor }

/** Being cut off for longer than this is being offline, whatever the browser says. */
const offlineAfterMs = 15_000

/** Listens to a stream from its start, each time anew, since nothing of it is kept in the page. Tokens come from the shop. */
export function listen(options: ListenOptions): Listening {
  const { onEvent, onLine, onGap = () => {}, onHeard = () => {} } = options
  const page = globalThis as unknown as Page
  // The shop's own address serves the streams as well.
  const client = connectPayments({
    url: page.location.origin,
    getToken: () => fetchToken(options.stream, noteShopTime),
    webSocket: page.WebSocket && withEar(page.WebSocket, onHeard),
    fetch: async (input, init) => overhear(await fetch(input, init), onHeard),
  })
  let stream: StreamState = 'replaying'
  let told: LineState = 'connecting'
  let hasBeenLive = false
  /** By the shop's time. */
  let liveAgainAtMs = 0
  let shopAheadMs = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  client.subscribe(options.stream, {
    from: 'start',
    resume: false,
    onEvent: event => {
      onHeard()
      // A connection that comes back to life hands over what it held back when it is live already.
      onEvent(event, hasBeenLive && (told !== 'live' || Date.parse(event.at) < liveAgainAtMs))
    },
    onState: ({ state }) => {
      if (state === 'gap') onGap()
      stream = state
      look()
    },
  })
  client.onState(look)

  function noteShopTime(atMs: number): void {
    shopAheadMs = atMs - Date.now()
    options.onShopTime?.(atMs)
  }

  function look(): void {
    const next = lineNow()
    if (next === told || (told === 'offline' && (next === 'late' || next === 'connecting'))) return
    clearTimeout(timer)
    if (next === 'live') {
      if (hasBeenLive) liveAgainAtMs = Date.now() + shopAheadMs
      hasBeenLive = true
    }
    if (next === 'late' || next === 'connecting') timer = setTimeout(() => tell('offline'), offlineAfterMs)
    tell(next)
  }

  function tell(line: LineState): void {
    told = line
    onLine(line)
  }

  timer = setTimeout(() => tell('offline'), offlineAfterMs)
  return {
    close() {
      clearTimeout(timer)
      client.close()
    },
  }

  function lineNow(): LineState {
    if (client.state === 'closed' || stream === 'ended') return 'closed'
    if (client.state === 'offline') return 'offline'
    // A gap that came while it was live: what follows is live again.
    if (client.state === 'connected' && (stream === 'live' || (stream === 'gap' && told === 'live'))) return 'live'
    return hasBeenLive ? 'late' : 'connecting'
  }
}

type Token = { readonly token: string; readonly ttlMs: number }

async function fetchToken(stream: string, onShopTime: (atMs: number) => void): Promise<Token> {
  const askedAtMs = Date.now()
  const response = await fetch('/api/tokens', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ stream }),
  })
  if (!response.ok) throw new Error(`the shop gave no token: ${response.status}`)
  // Whole seconds, and a while ago: at the latest it is now this. What is marked as missed is rather too much than too little.
  const shopTimeMs = Date.parse(response.headers.get('date') ?? '') + 999 + Date.now() - askedAtMs
  if (!Number.isNaN(shopTimeMs)) onShopTime(shopTimeMs)
  return (await response.json()) as Token
}

/** The client tells of events only; a person in front of the screen wants to see that the line is alive. */
function withEar(WebSocket: WebSocketConstructor, onHeard: () => void): WebSocketConstructor {
  return class extends WebSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol)
      const socket = this as unknown as { addEventListener(type: string, listener: () => void): void }
      socket.addEventListener('message', onHeard)
    }
  }
}

function overhear(response: Response, onHeard: () => void): Response {
  onHeard()
  if (response.body === null) return response
  const ear = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      onHeard()
      controller.enqueue(chunk)
    },
  })
  return new Response(response.body.pipeThrough(ear), response)
}
