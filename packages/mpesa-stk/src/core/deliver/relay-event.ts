import { callbackKinds } from '../receive/classify-callback.ts'

/** What is delivered: what Safaricom posts, and what the relay itself tells an operator's endpoint. */
export const deliveredKinds = [...callbackKinds, 'operations'] as const

export type DeliveredKind = (typeof deliveredKinds)[number]

/** What stands in a log: `lifecycle` is what a merchant's server said of a payment of its own, which nobody delivers to it. */
export const eventKinds = [...deliveredKinds, 'lifecycle'] as const

export type EventKind = (typeof eventKinds)[number]

/**
 * - `PENDING`: not tried yet.
 * - `DELIVERED`: the merchant answered 2xx, or said it himself.
 * - `FAILED`: tried in vain, and due again.
 * - `DEAD`: tried in vain as often as the schedule says. A replay makes it pending again.
 */
export const deliveryStatuses = ['PENDING', 'DELIVERED', 'FAILED', 'DEAD'] as const

export type DeliveryStatus = (typeof deliveryStatuses)[number]

/** A callback that was recorded, and is to be delivered. */
export type NewRelayEvent = {
  /** Time-ordered: what the merchant knows it by, the same on every attempt. */
  readonly id: string
  readonly appId: string
  readonly kind: EventKind
  readonly businessKey: string
  readonly result: string
  readonly checkoutRequestId: string | null
  /** As Safaricom sent it. */
  readonly body: Uint8Array
  /** The token in the path that it was posted to. */
  readonly callbackToken: string | null
  readonly receivedAt: Date
  /** How many copies this one stands for. */
  readonly copies: number
  /** Its app is disabled: nobody delivers it now, and nobody needs a lease. */
  readonly isHeld: boolean
  /** Another event of the same batch with the same kind and key that says something else. */
  readonly contradicts: string | null
  /** The trace that it was received in, as W3C's `traceparent`; null where nobody traced. */
  readonly traceParent: string | null
}

/** An event as it stands. One row of `relay_delivery_events`. */
export type RelayEvent = Omit<NewRelayEvent, 'body' | 'isHeld' | 'traceParent'> & {
  readonly status: DeliveryStatus
  readonly attemptCount: number
  readonly deliveredAt: Date | null
  readonly dueAt: Date | null
  readonly lastError: string | null
}

/** An event that is ours to deliver until its lease runs out. */
export type LeasedEvent = Pick<
  NewRelayEvent,
  'id' | 'appId' | 'kind' | 'body' | 'callbackToken' | 'contradicts' | 'receivedAt' | 'traceParent'
> & {
  readonly attemptCount: number
  /** Attempts that failed since it was recorded or replayed: where it stands in its schedule. */
  readonly failures: number
  readonly leaseId: string
}

/** One attempt to deliver, as it is kept. */
export type DeliveryAttempt = {
  readonly eventId: string
  /** From 1. A replay goes on counting. */
  readonly number: number
  readonly at: Date
  readonly durationMs: number
  readonly httpStatus: number | null
  /** What kind of failure: `http`, `timeout`, `connection`, `target-refused`, …; null for a success. */
  readonly errorClass: string | null
  /** The first bytes of the answer, as text. */
  readonly responseHead: string
}

/** What becomes of an event after an attempt, or without one. */
export type DeliveryOutcome =
  | { readonly status: 'DELIVERED' }
  | { readonly status: 'FAILED'; readonly delayMs: number; readonly error: string }
  | { readonly status: 'DEAD'; readonly error: string }
  /** Nothing was tried: it is as it was, and due again after so long. */
  | { readonly status: 'held'; readonly delayMs: number }

/** The end of a lease. The outcome counts only while the lease is still the event's; the attempt is kept in any case. */
export type DeliveryResult = {
  readonly eventId: string
  readonly leaseId: string
  readonly attempt: DeliveryAttempt | null
  readonly outcome: DeliveryOutcome
}

/** A body that is nobody's event, kept with its bytes. */
export type QuarantinedBody = {
  /** Time-ordered. What is released becomes the event of this id. */
  readonly id: string
  /** As it stood in the path; it need not exist. */
  readonly appId: string
  /** Who pays for the room: the app, or one name for all the apps that there are not. */
  readonly budget: string
  readonly reason: 'unrecognised' | 'oversize' | 'unknown-app' | 'unknown-source'
  readonly detail: string
  /** The first 256 KiB of it. */
  readonly body: Uint8Array
  /** How long it was. */
  readonly length: number
  /** The token in the path that it was posted to. */
  readonly callbackToken: string | null
  readonly receivedAt: Date
}

/** One of a list: its first bytes stand for the body. */
export type QuarantinedHead = Omit<QuarantinedBody, 'body'> & { readonly head: Uint8Array }
