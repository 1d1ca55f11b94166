import type { RelayApp } from '../core/deliver/relay-app.ts'
import type { DeliveryOutcome, DeliveryResult, LeasedEvent, NewRelayEvent } from '../core/deliver/relay-event.ts'
import type { ClaimLimits, DeliveryLease, RelayStorage } from '../core/deliver/relay-storage.ts'
import { sampleTime } from './samples.ts'

/** One promise of `RelayStorage`, on a fresh one. */
export type RelayCase = { readonly name: string; run(storage: RelayStorage): Promise<void> }

let lastNumber = 0

function sampleApp(changes: Partial<RelayApp> = {}): RelayApp {
  const number = ++lastNumber
  return {
    appId: `app-${number}`,
    sourceId: `source-${number}`,
    targetUrl: 'https://shop.example/hook',
    sealedSecrets: Uint8Array.of(0, 255, 1),
    isDisabled: false,
    disabledReason: null,
    scheduleMs: null,
    c2bFallback: 'reject',
    dailyQuota: 5,
    createdAt: sampleTime,
    version: 1,
    receives: 'callbacks',
    publicStreams: false,
    allowedOrigins: null,
    ...changes,
  }
}

export async function openApp(storage: RelayStorage, changes: Partial<RelayApp> = {}): Promise<RelayApp> {
  const app = sampleApp(changes)
  await storage.createApp(app)
  return app
}

export function sampleEvent(appId: string, changes: Partial<NewRelayEvent> = {}): NewRelayEvent {
  const number = ++lastNumber
  return {
    id: `event-${String(number).padStart(8, '0')}`,
    appId,
    kind: 'stk',
    businessKey: `ws_CO_${number}`,
    result: '0 UHH0AB12CD 500',
    checkoutRequestId: `ws_CO_${number}`,
    body: Uint8Array.of(0x7b, 0, 0xff, 0x7d),
    callbackToken: null,
    traceParent: null,
    receivedAt: sampleTime,
    copies: 1,
    isHeld: false,
    contradicts: null,
    ...changes,
  }
}

export function lease(changes: Partial<DeliveryLease> = {}): DeliveryLease {
  return { leaseId: `lease-${++lastNumber}`, leaseMs: 60_000, at: new Date(), ...changes }
}

/** Events that nobody holds any more. */
export async function recordDue(
  storage: RelayStorage,
  appId: string,
  count: number,
): Promise<readonly NewRelayEvent[]> {
  const events = Array.from({ length: count }, () => sampleEvent(appId))
  await storage.recordEvents(events, lease({ leaseMs: 0 }))
  return events
}

/** So many, of whatever app. */
export const limits = (total: number): ClaimLimits => ({ perApp: total, total })

export const ids = (events: readonly { readonly id: string }[]): readonly string[] => events.map(({ id }) => id)

export function ended({ id, leaseId, attemptCount }: LeasedEvent, outcome: DeliveryOutcome): DeliveryResult {
  const at = sampleTime
  const isSuccess = outcome.status === 'DELIVERED'
  const attempt = {
    eventId: id,
    number: attemptCount + 1,
    at,
    durationMs: 12,
    httpStatus: isSuccess ? 200 : 500,
    errorClass: isSuccess ? null : 'http',
    responseHead: 'what it said',
  }
  return { eventId: id, leaseId, attempt: outcome.status === 'held' ? null : attempt, outcome }
}
