import { createBoundedList } from './bounded-list.ts'

/** Requests kept in memory, and characters of each body. */
const rememberedRequests = 1_000
const rememberedBodyLength = 16_384

/** A call to one of the Daraja paths, as it came in. */
export interface ReceivedRequest {
  /** ISO 8601, by the simulator's clock. */
  readonly receivedAt: string
  readonly method: string
  /** Path and query string. */
  readonly path: string
  /** As received; the value of `authorization` is reduced to its scheme. */
  readonly headers: Readonly<Record<string, string>>
  /** The text as received, cut at 16,384 characters. */
  readonly body: string
}

export interface RequestLog {
  add(request: ReceivedRequest): void
  all(): readonly ReceivedRequest[]
  clear(): void
}

export function createRequestLog(): RequestLog {
  const list = createBoundedList<ReceivedRequest>(rememberedRequests)
  return { add: list.push, all: list.all, clear: list.clear }
}

/** What the log keeps of a request. Secrets and tokens never reach it; phone numbers in the body do. */
export function describeRequest(request: Request, body: string, receivedAtMs: number): ReceivedRequest {
  const url = new URL(request.url)
  const headers = Object.fromEntries(request.headers)
  const authorization = headers['authorization']
  if (authorization !== undefined) headers['authorization'] = `${authorization.split(' ', 1)[0]} ***`
  return {
    receivedAt: new Date(receivedAtMs).toISOString(),
    method: request.method,
    path: url.pathname + url.search,
    headers,
    body: body.slice(0, rememberedBodyLength),
  }
}
