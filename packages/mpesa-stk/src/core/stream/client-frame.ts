import { isObject } from '../receive/read-json.ts'

/** What a client of version 1 may say. */
export type ClientFrame =
  | { readonly type: 'auth'; readonly token: string }
  | { readonly type: 'auth'; readonly sourceId: string; readonly secret: string }
  | { readonly type: 'subscribe'; readonly id: number; readonly stream: string; readonly from: string }
  | { readonly type: 'unsubscribe'; readonly id: number }
  | { readonly type: 'ack'; readonly id: number; readonly cursor: string }
  | { readonly type: 'refresh'; readonly token: string }
  | { readonly type: 'ping'; readonly t: number | string | null }
  | { readonly type: 'pong' }

export const longestFrameBytes = 4_096

type Fields = Readonly<Record<string, unknown>>

/** Null for what is no frame. Fields that there are not are passed over: a later client may have more to say. */
export function parseClientFrame(text: string): ClientFrame | null {
  const frame = readFrame(text)
  if (frame === null) return null
  const { type } = frame
  switch (type) {
    case 'auth':
      return readAuth(frame)
    case 'subscribe': {
      const { id, stream, from = 'start' } = frame
      return isId(id) && isText(stream) && isText(from) ? { type, id, stream, from } : null
    }
    case 'unsubscribe':
      return isId(frame['id']) ? { type, id: frame['id'] } : null
    case 'ack': {
      const { id, cursor } = frame
      return isId(id) && isText(cursor) ? { type, id, cursor } : null
    }
    case 'refresh':
      return isText(frame['token']) ? { type, token: frame['token'] } : null
    case 'ping': {
      const { t } = frame
      return { type, t: typeof t === 'number' || typeof t === 'string' ? t : null }
    }
    case 'pong':
      return { type }
    default:
      return null
  }
}

/** What a client of the old protocol may say. */
export type OldClientFrame = { readonly type: 'auth'; readonly secret: string } | { readonly type: 'ping' | 'pong' }

export function parseOldClientFrame(text: string): OldClientFrame | null {
  const frame = readFrame(text)
  if (frame === null) return null
  const { type, secret } = frame
  if (type === 'auth') return isText(secret) ? { type, secret } : null
  return type === 'ping' || type === 'pong' ? { type } : null
}

function readAuth({ token, sourceId, secret }: Fields): ClientFrame | null {
  if (isText(token)) return { type: 'auth', token }
  return isText(sourceId) && isText(secret) ? { type: 'auth', sourceId, secret } : null
}

function readFrame(text: string): Fields | null {
  try {
    const frame: unknown = JSON.parse(text)
    return isObject(frame) ? frame : null
  } catch {
    return null
  }
}

function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
