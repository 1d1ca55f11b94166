import type { RecordedAuditEntry } from '../core/audit/audit-entry.ts'
import { maskPersonalData } from '../core/payment/msisdn.ts'
import { type PaymentView, viewPayment } from '../core/payment/payment-view.ts'
import { recogniseKeys } from '../core/payment/recognise-key.ts'
import { type CallbackDisposition, callbackDispositions } from '../core/receive/callback-evidence.ts'
import type { ReadableStore } from './open-payment-store.ts'

/** Everything that the store has of a payment. */
export type PaymentStory = {
  readonly payment: PaymentView & { readonly shortCode: string }
  readonly trail: readonly RecordedAuditEntry[]
  readonly callbacks: readonly KeptCallback[]
}

type KeptCallback = {
  readonly receivedAt: Date
  readonly disposition: CallbackDisposition
  /** SHA-256 of what came. */
  readonly digest: string
  readonly body: string
}

const callbacksEach = 20

/** The newest `limit` payments that a text means, the newest last. */
export async function findStories(store: ReadableStore, text: string, limit: number): Promise<readonly PaymentStory[]> {
  for (const key of recogniseKeys(text)) {
    const entries = await store.readTrail(key, limit)
    if (entries.length === 0) continue
    const stories = []
    for (const paymentId of new Set(entries.map(entry => entry.paymentId))) {
      const trail = entries.filter(entry => entry.paymentId === paymentId)
      stories.push(...(await readStory(store, paymentId, trail)))
    }
    return stories
  }
  return []
}

async function readStory(
  store: ReadableStore,
  paymentId: string,
  trail: readonly RecordedAuditEntry[],
): Promise<readonly PaymentStory[]> {
  const record = await store.findPayment({ paymentId })
  if (record === null) return []
  const callbacks: KeptCallback[] = []
  for (const disposition of callbackDispositions) {
    const kept = await store.listCallbacks(paymentId, disposition, callbacksEach)
    for (const { receivedAt, digest, body } of kept) {
      callbacks.push({ receivedAt, disposition, digest, body: new TextDecoder().decode(body) })
    }
  }
  callbacks.sort((one, other) => one.receivedAt.getTime() - other.receivedAt.getTime())
  return [{ payment: { ...viewPayment(record), shortCode: record.initiation.shortCode }, trail, callbacks }]
}

/** Our own ids and hashes, in which a run of digits is no phone number. */
const ownId = /^[0-9a-f]{64}$|^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The same with every phone number masked, wherever it stands. */
export function maskStory<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value), (_key, each: unknown) =>
    typeof each === 'string' && !ownId.test(each) ? maskPersonalData(each) : each,
  ) as Value
}
