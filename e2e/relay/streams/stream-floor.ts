import type { RelayServerOptions } from 'mpesa-stk/server'
import { paidBody } from '../../callback-bodies.ts'
import { openRelay } from '../relay-floor.ts'
import { SocketClient } from './socket-client.ts'

export type StreamRelay = Awaited<ReturnType<typeof openRelay>>

export type MintedToken = {
  readonly token: string
  readonly tokenId: string
  readonly ttlMs: number
  readonly streams: readonly string[]
  readonly sourceId: string
}

export const receiptOf = (number: number): string => `UHH${String(number).padStart(7, '1')}`
export const checkoutIdOf = (number: number): string => `ws_CO_${number}_254712345678`

/** A relay with an app that nobody delivers to, and what its merchant's server does. */
export async function openStreams(options: Partial<RelayServerOptions> = {}, more: object = {}) {
  const relay = await openRelay(options)
  const app = await relay.createApp('http://127.0.0.1:9/', more)
  return { ...merchant(relay, app), relay, [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose]() }
}

type App = Awaited<ReturnType<StreamRelay['createApp']>>

/** What the merchant of an app does at a relay. */
export function merchant(relay: StreamRelay, app: App) {
  const { appId, signingSecret, hookUrl } = app
  const post = (path: string, body: object, secret = signingSecret): Promise<Response> =>
    fetch(`${relay.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ appId, ...body }),
    })
  return {
    ...app,
    post,
    async mint(wish: object = { streams: ['source'] }): Promise<MintedToken> {
      const response = await post('/v1/tokens', wish)
      if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
      return (await response.json()) as MintedToken
    },
    async report(...events: object[]) {
      const response = await post('/v1/events', { events })
      if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
      return (await response.json()) as { accepted: number; repeats: number }
    },
    async pay(number: number, at = relay): Promise<void> {
      const response = await at.post(hookUrl, JSON.stringify(paidBody(checkoutIdOf(number), receiptOf(number))))
      if (response.status !== 200) throw new Error(`${response.status}`)
    },
    connect: (at = relay, headers: Record<string, string> = {}): SocketClient => new SocketClient(at.url, { headers }),
    /** Connected, with a token for these streams. */
    async open(wish?: object, at = relay): Promise<SocketClient> {
      const { token } = await this.mint(wish)
      const client = new SocketClient(at.url)
      await client.authenticate({ token })
      return client
    },
  }
}
