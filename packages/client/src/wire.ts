import type { PaymentEvent } from './payment-event.ts'

/** docs/streams.md, version 1. */
export type ClientFrame =
  | { readonly type: 'auth'; readonly token: string }
  | { readonly type: 'auth'; readonly sourceId: string; readonly secret: string }
  | { readonly type: 'subscribe'; readonly id: number; readonly stream: string; readonly from: string }
  | { readonly type: 'unsubscribe'; readonly id: number }
  | { readonly type: 'ack'; readonly id: number; readonly cursor: string }
  | { readonly type: 'refresh'; readonly token: string }
  | { readonly type: 'ping' | 'pong' }

export type RetryAdvice = 'now' | 'later' | 'token' | 'never'

export type ErrorFrame = {
  readonly type: 'error'
  readonly code: string
  readonly error?: string
  readonly retry: RetryAdvice
  readonly retryAfterMs?: number
  readonly id?: number
}

/** What is about one subscription. */
export type FeedFrame =
  | { readonly type: 'event'; readonly id: number; readonly cursor: string; readonly event: PaymentEvent }
  | { readonly type: 'gap'; readonly id: number; readonly reason: string }
  | { readonly type: 'live'; readonly id: number; readonly cursor: string }
  | { readonly type: 'ended'; readonly id: number; readonly reason: string }

export type ServerFrame =
  | FeedFrame
  | ErrorFrame
  | { readonly type: 'hello' }
  | { readonly type: 'ready'; readonly ttlMs: number | null; readonly heartbeatMs: number }
  | { readonly type: 'subscribed' | 'ping' | 'pong' | 'unknown' }

type Loose = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Loose => typeof value === 'object' && value !== null
const isText = (value: unknown): value is string => typeof value === 'string'
const isTime = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value < Infinity

const wellFormed: Readonly<Record<string, (frame: Loose) => boolean>> = {
  hello: () => true,
  ready: ({ ttlMs, heartbeatMs }) => isTime(heartbeatMs) && isTime(ttlMs ?? 0),
  subscribed: () => true,
  ping: () => true,
  pong: () => true,
  event: ({ cursor, event }) => isText(cursor) && isObject(event) && isText(event['id']),
  live: ({ cursor }) => isText(cursor),
  gap: ({ reason }) => isText(reason),
  ended: ({ reason }) => isText(reason),
  error: ({ code, retryAfterMs }) => isText(code) && isTime(retryAfterMs ?? 0),
}

/**
 * Null for what cannot be understood: it may have been an event, so whoever gets it must ask again from his cursor.
 * A kind of frame that is new to us is none of these.
 */
export function readFrame(value: unknown): ServerFrame | null {
  if (!isObject(value) || !isText(value['type'])) return null
  const type = value['type']
  if (!Object.hasOwn(wellFormed, type)) return { type: 'unknown' }
  return wellFormed[type]?.(value) ? (value as unknown as ServerFrame) : null
}

export function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(text as string)
  } catch {
    return null
  }
}
