import type { C2bFallback } from '../core/deliver/c2b-validation.ts'
import type { LogEntry, LogHead } from '../core/deliver/event-log.ts'
import type { AppReceives, RelayApp } from '../core/deliver/relay-app.ts'
import type {
  DeliveredKind,
  DeliveryAttempt,
  DeliveryStatus,
  EventKind,
  LeasedEvent,
  QuarantinedBody,
  QuarantinedHead,
  RelayEvent,
} from '../core/deliver/relay-event.ts'
import type { OverdueApp } from '../core/deliver/relay-storage.ts'
import type { ReplayFilter, ReplayRun } from '../core/deliver/replay-run.ts'
import type { Revocation, StreamEntry, StreamHead } from '../core/stream/stream-storage.ts'

/** A time as a database returns it: milliseconds since 1970 from SQLite, a Date from PostgreSQL. */
type Time = number | Date

export type AppRow = {
  app_id: string
  source_id: string
  target_url: string
  sealed_secrets: Uint8Array
  is_disabled: number
  disabled_reason: string | null
  schedule_ms: string | null
  c2b_fallback: C2bFallback
  daily_quota: number | null
  created_at: Time
  version: number
  receives: AppReceives
  public_streams: number
  allowed_origins: string | null
}

export type EventRow = {
  id: string
  app_id: string
  kind: EventKind
  business_key: string
  result: string
  checkout_request_id: string | null
  /** Null once it has been removed. */
  body: Uint8Array | null
  callback_token: string | null
  contradicts: string | null
  copies: number
  received_at: Time
  status: DeliveryStatus
  attempt_count: number
  failures: number
  due_at: Time
  lease_id: string | null
  delivered_at: Time | null
  last_error: string | null
  trace_parent: string | null
}

/** Everything of an event but its body, which a list has no use for. */
export type ListedEventRow = Omit<EventRow, 'body' | 'trace_parent'>

export const listedEventColumns = `id, app_id, kind, business_key, result, checkout_request_id, callback_token, contradicts, copies,
  received_at, status, attempt_count, failures, due_at, lease_id, delivered_at, last_error`

export type StreamHeadRow = LogRow & { app_id: string; floor: number | string; clears: number }

/** `link`: the payment that reported the push first, before this entry; `is_link`: this is that first report. */
export type StreamRow = LogEntryRow & { link: string | null; is_link: boolean | number }

/** A callback from before the report that first named its push, which stands at `link_position`. */
export type EarlierRow = LogEntryRow & { link_position: number | string }

export type RevocationRow = { token_id: string | null; subject: string | null; at: Time; keep_until: Time }

export type LogRow = { epoch: string; head: number | string; events_today: number | string }

export type LogEntryRow = ListedEventRow & { log_position: number | string; body: Uint8Array | null }

export const logEntryColumns = `${listedEventColumns}, log_position`

export type AttemptRow = {
  event_id: string
  number: number
  at: Time
  duration_ms: number
  http_status: number | null
  error_class: string | null
  response_head: string
}

export type OverdueAppRow = { app_id: string; since: Time }

export type ReplayRow = {
  id: string
  app_id: string
  status: ReplayFilter['status']
  kind: DeliveredKind | null
  received_from: Time | null
  received_to: Time | null
  per_second: number
  state: ReplayRun['state']
  matched: number
  replayed: number
  after_id: string
  until_id: string
  created_at: Time
  ended_at: Time | null
}

export type QuarantineRow = {
  id: string
  app_id: string
  budget: string
  reason: QuarantinedBody['reason']
  detail: string
  body: Uint8Array
  length: number
  callback_token: string | null
  received_at: Time
}

/** Of the body its beginning: a page of whole ones would be a hundred megabytes. */
export type QuarantineHeadRow = Omit<QuarantineRow, 'body'> & { head: Uint8Array }

export const quarantineHeadColumns = `id, app_id, budget, reason, detail, length, callback_token, received_at,
  substr(body, 1, 200) AS head`

export function toApp(row: AppRow): RelayApp {
  return {
    appId: row.app_id,
    sourceId: row.source_id,
    targetUrl: row.target_url,
    sealedSecrets: new Uint8Array(row.sealed_secrets),
    isDisabled: row.is_disabled === 1,
    disabledReason: row.disabled_reason,
    scheduleMs: row.schedule_ms === null ? null : (JSON.parse(row.schedule_ms) as readonly number[]),
    c2bFallback: row.c2b_fallback,
    dailyQuota: row.daily_quota,
    createdAt: new Date(row.created_at),
    version: row.version,
    receives: row.receives,
    publicStreams: row.public_streams === 1,
    allowedOrigins: row.allowed_origins === null ? null : (JSON.parse(row.allowed_origins) as readonly string[]),
  }
}

export function toRelayEvent(row: ListedEventRow): RelayEvent {
  const isDue = row.status === 'PENDING' || row.status === 'FAILED'
  return {
    id: row.id,
    appId: row.app_id,
    kind: row.kind,
    businessKey: row.business_key,
    result: row.result,
    checkoutRequestId: row.checkout_request_id,
    callbackToken: row.callback_token,
    contradicts: row.contradicts,
    copies: row.copies,
    receivedAt: new Date(row.received_at),
    status: row.status,
    attemptCount: row.attempt_count,
    deliveredAt: row.delivered_at === null ? null : new Date(row.delivered_at),
    dueAt: isDue ? new Date(row.due_at) : null,
    lastError: row.last_error,
  }
}

export function toLogHead(row: LogRow): LogHead {
  return { epoch: row.epoch, position: Number(row.head), eventsToday: Number(row.events_today) }
}

export function toLogEntry(row: LogEntryRow): LogEntry {
  return {
    position: Number(row.log_position),
    event: toRelayEvent(row),
    body: row.body === null ? null : new Uint8Array(row.body),
  }
}

export function toStreamHead(row: StreamHeadRow): StreamHead {
  return { ...toLogHead(row), floor: Number(row.floor), clears: row.clears }
}

export function toStreamEntry(row: StreamRow, earlier: readonly EarlierRow[]): StreamEntry {
  const position = Number(row.log_position)
  return {
    ...toLogEntry(row),
    paymentId: row.kind === 'lifecycle' ? row.business_key : row.link,
    earlier: earlier.filter(({ link_position }) => Number(link_position) === position).map(toLogEntry),
  }
}

export function toRevocation(row: RevocationRow): Revocation {
  return {
    tokenId: row.token_id,
    subject: row.subject,
    at: new Date(row.at),
    keepUntil: new Date(row.keep_until),
  }
}

export function toLeasedEvent(row: EventRow): LeasedEvent {
  return {
    id: row.id,
    appId: row.app_id,
    kind: row.kind,
    // What is due has its body: the table holds it to that.
    body: toBytes(row.body) ?? new Uint8Array(),
    callbackToken: row.callback_token,
    contradicts: row.contradicts,
    receivedAt: new Date(row.received_at),
    attemptCount: row.attempt_count,
    failures: row.failures,
    traceParent: row.trace_parent,
    leaseId: row.lease_id ?? '',
  }
}

export function toOverdueApp(row: OverdueAppRow): OverdueApp {
  return { appId: row.app_id, since: new Date(row.since) }
}

export function toBytes(body: Uint8Array | null): Uint8Array | null {
  return body === null ? null : new Uint8Array(body)
}

export function toAttempt(row: AttemptRow): DeliveryAttempt {
  return {
    eventId: row.event_id,
    number: row.number,
    at: new Date(row.at),
    durationMs: row.duration_ms,
    httpStatus: row.http_status,
    errorClass: row.error_class,
    responseHead: row.response_head,
  }
}

export function toReplay(row: ReplayRow): ReplayRun {
  return {
    id: row.id,
    appId: row.app_id,
    filter: filterOf(row),
    perSecond: row.per_second,
    state: row.state,
    matched: row.matched,
    replayed: row.replayed,
    createdAt: new Date(row.created_at),
    endedAt: row.ended_at === null ? null : new Date(row.ended_at),
  }
}

export function filterOf({ status, kind, received_from, received_to }: ReplayRow): ReplayFilter {
  return {
    status,
    kind,
    from: received_from === null ? null : new Date(received_from),
    to: received_to === null ? null : new Date(received_to),
  }
}

export function toQuarantined(row: QuarantineRow): QuarantinedBody {
  return { ...aboutQuarantined(row), body: new Uint8Array(row.body) }
}

export function toQuarantinedHead(row: QuarantineHeadRow): QuarantinedHead {
  return { ...aboutQuarantined(row), head: new Uint8Array(row.head) }
}

function aboutQuarantined(row: Omit<QuarantineRow, 'body'>): Omit<QuarantinedBody, 'body'> {
  return {
    id: row.id,
    appId: row.app_id,
    budget: row.budget,
    reason: row.reason,
    detail: row.detail,
    length: row.length,
    callbackToken: row.callback_token,
    receivedAt: new Date(row.received_at),
  }
}
