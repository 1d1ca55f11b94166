import { randomBytes } from 'node:crypto'
import type { NewRelayEvent } from '../core/deliver/relay-event.ts'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import type { NewPaymentReport } from '../core/stream/payment-report.ts'
import type { StreamEntry, StreamSlice, StreamView } from '../core/stream/stream-storage.ts'
import { createTimeOrderedId } from '../core/time-ordered-id.ts'
import { lease, sampleEvent } from './relay-samples.ts'
import { sampleTime } from './samples.ts'

export const idAt = (at: Date): string => createTimeOrderedId(at, randomBytes(16))

export const source: StreamView = { kind: 'source' }
export const ofPayment = (paymentId: string): StreamView => ({ kind: 'payment', paymentId })
export const ofPush = (businessKey: string): StreamView => ({ kind: 'push', businessKey })

export function sampleReport(paymentId: string, changes: Partial<NewPaymentReport> = {}): NewPaymentReport {
  const at = changes.at ?? sampleTime
  return {
    id: idAt(at),
    at,
    type: 'payment.pending',
    paymentId,
    checkoutRequestId: null,
    status: 'PENDING',
    amount: 500,
    receipt: null,
    resultCode: null,
    ...changes,
  }
}

/** A callback about a push; each of another wording. */
export function callbackOf(appId: string, push: string, changes: Partial<NewRelayEvent> = {}): NewRelayEvent {
  const { receivedAt: at = sampleTime } = changes
  const id = idAt(at)
  return sampleEvent(appId, { id, businessKey: push, checkoutRequestId: push, result: `0 ${id}`, ...changes })
}

export const record = (storage: RelayStorage, ...events: readonly NewRelayEvent[]) =>
  storage.recordEvents(events, lease())

export const report = (storage: RelayStorage, appId: string, ...reports: readonly NewPaymentReport[]) =>
  storage.reportPayments(appId, reports, `epoch-${appId}`, new Date())

export const read = (
  storage: RelayStorage,
  appId: string,
  view: StreamView,
  slice: Partial<Omit<StreamSlice, 'view'>> = {},
): Promise<readonly StreamEntry[]> =>
  storage.readStream(appId, { view, after: 0, until: Number.MAX_SAFE_INTEGER, limit: 1_000, ...slice })

export const positions = (entries: readonly { readonly position: number }[]): readonly number[] =>
  entries.map(({ position }) => position)

/** Of each entry its position, whose it is, and the positions of those that are read with it. */
export const told = (entries: readonly StreamEntry[]) =>
  entries.map(({ position, paymentId, earlier }) => [position, paymentId, positions(earlier)])
