import { MpesaStkError } from '../errors.ts'
import type { Payment, PaymentStatus } from '../payment/payment.ts'
import type { Clock, Digest, PaymentRecord, Store } from '../ports.ts'
import { type Arrival, type ContradictionReason, decideSettlement } from '../settle/decide-settlement.ts'
import type { CallbackEvidence } from './callback-evidence.ts'
import { type ParsedCallback, parseCallback, type StkCallback } from './parse-callback.ts'

/**
 * What a callback came to. `outcome` says what happened; the other fields are the same on every member.
 *
 * - `settled`: it moved the payment (settled it, corrected a `TIMEOUT`, or brought a missing receipt).
 * - `repeat`: it said what was known.
 * - `in-progress`: Daraja says it is still working on it.
 * - `contradiction`: it says something else than what stands; kept with its `reason`, not applied.
 * - `refused`: its token is wrong or missing; kept, not applied.
 * - `parked`: no payment has these ids yet; applied by itself once one does.
 * - `unrecognised`: not an STK callback; kept.
 */
export type ProcessedCallback = {
  readonly outcome: 'settled' | 'repeat' | 'in-progress' | 'contradiction' | 'refused' | 'parked' | 'unrecognised'
  readonly paymentId: string | null
  /** The payment's status after this callback; null when there is no payment. */
  readonly status: PaymentStatus | null
  readonly isDuplicate: boolean
  readonly receipt?: string
  /** Why it was not applied, where it was not. */
  readonly reason?: string
}

/** The ports that taking a callback needs. */
export type ReceivePorts = { readonly store: Store; readonly clock: Clock; readonly digest: Digest }

/** A move that was committed, for the handlers to hear of. */
export type Settled = { readonly payment: Payment }

export type ReceiveResult = { readonly processed: ProcessedCallback; readonly settled: Settled | null }

/** Each lost race shows a newer record, and a payment has only a handful of moves: more than these is a broken store. */
const maxAttempts = 10

/** Hundreds of times a real callback. Of a longer body this much is kept, so that nobody can fill the store with one. */
const maxBodyBytes = 256 * 1024

/** Takes a callback from its bytes to a stored effect. Every callback leaves a trace in the store, whatever it was. */
export async function receiveCallback(
  ports: ReceivePorts,
  received: Uint8Array,
  token: string | null,
): Promise<ReceiveResult> {
  const body = received.subarray(0, maxBodyBytes)
  const parsed: ParsedCallback =
    received.length > maxBodyBytes
      ? { kind: 'unrecognised', reason: `the body is longer than ${maxBodyBytes} bytes` }
      : parseCallback(body)
  const evidence: CallbackEvidence = {
    digest: ports.digest(body),
    body,
    checkoutRequestId: parsed.kind === 'stk' ? parsed.checkoutRequestId : null,
    merchantRequestId: parsed.kind === 'stk' ? parsed.merchantRequestId : null,
    receivedAt: ports.clock.now(),
  }
  if (parsed.kind === 'unrecognised') {
    await ports.store.recordCallback({ callback: evidence, disposition: 'unrecognised', paymentId: null })
    return unapplied({ outcome: 'unrecognised', reason: parsed.reason })
  }
  const tokenHash = token === null ? null : ports.digest(token)
  const record = await findRecord(ports.store, parsed, tokenHash)
  if (record !== null) return applyCallback(ports, record, parsed, evidence, tokenHash)
  if (tokenHash !== null) {
    await ports.store.recordCallback({ callback: evidence, disposition: 'refused', paymentId: null })
    return unapplied({ outcome: 'refused', reason: 'token-wrong' })
  }
  await ports.store.recordCallback({ callback: evidence, disposition: 'parked', paymentId: null })
  // The push may have been accepted between the look-up and the parking. Whoever commits second sees the other: the
  // acceptance looks for parked callbacks after its commit, and this looks for the payment after parking.
  const lateRecord = await findRecord(ports.store, parsed, null)
  if (lateRecord !== null) return applyCallback(ports, lateRecord, parsed, evidence, null)
  return unapplied({ outcome: 'parked' })
}

/** Applies the callbacks that were parked before the push of `payment` was known to be accepted. */
export async function applyParkedCallbacks(ports: ReceivePorts, payment: Payment): Promise<Settled[]> {
  const settled: Settled[] = []
  for (const evidence of await ports.store.findParkedCallbacks(payment)) {
    const parsed = parseCallback(evidence.body)
    if (parsed.kind !== 'stk') continue
    const record = await ports.store.findPayment({ paymentId: payment.id })
    if (record === null) continue
    const result = await applyCallback(ports, record, parsed, evidence, null)
    if (result.settled !== null) settled.push(result.settled)
  }
  return settled
}

/** A token finds its payment exactly; without one, CheckoutRequestID first and MerchantRequestID as the fallback. */
async function findRecord(
  store: Store,
  callback: StkCallback,
  tokenHash: string | null,
): Promise<PaymentRecord | null> {
  if (tokenHash !== null) return store.findPayment({ tokenHash })
  const { checkoutRequestId, merchantRequestId } = callback
  const byCheckout = checkoutRequestId === null ? null : await store.findPayment({ checkoutRequestId })
  if (byCheckout !== null || merchantRequestId === null) return byCheckout
  return store.findPayment({ merchantRequestId })
}

async function applyCallback(
  ports: ReceivePorts,
  found: PaymentRecord,
  callback: StkCallback,
  evidence: CallbackEvidence,
  tokenHash: string | null,
): Promise<ReceiveResult> {
  let record = found
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const arrival: Arrival = { tokenHash, at: ports.clock.now(), digest: evidence.digest }
    const decision = decideSettlement(record, callback, arrival)
    if (decision.decision === 'contradict' || decision.decision === 'refuse') {
      return keep(ports, record, evidence, arrival, decision)
    }
    if (decision.decision !== 'move') {
      const { decision: disposition } = decision
      await ports.store.recordCallback({ callback: evidence, disposition, paymentId: record.initiation.paymentId })
      return {
        processed: about(record, { outcome: disposition, isDuplicate: disposition === 'repeat' }),
        settled: null,
      }
    }
    const committed = await ports.store.commitTransition({ ...decision.transition, callback: evidence })
    if (committed.outcome === 'committed') {
      const { payment } = committed.record
      return {
        processed: about(committed.record, { outcome: 'settled', isDuplicate: false }),
        settled: payment === null ? null : { payment },
      }
    }
    if (committed.outcome === 'taken') {
      const reason = committed.field === 'receipt' ? 'receipt-seen-before' : 'checkout-request-id-seen-before'
      return keep(ports, record, evidence, arrival, { decision: 'contradict', reason })
    }
    record = committed.record
  }
  throw new MpesaStkError(
    'MPESA_STK_STORE_CONTENDED',
    `payment ${found.initiation.paymentId} changed ${maxAttempts} times while one callback was applied; send the callback again`,
  )
}

/** Keeps a callback that was not believed, once on the payment's own trail. */
async function keep(
  ports: ReceivePorts,
  record: PaymentRecord,
  callback: CallbackEvidence,
  arrival: Arrival,
  verdict: {
    readonly decision: 'contradict' | 'refuse'
    readonly reason: ContradictionReason | 'token-missing' | 'token-wrong'
  },
): Promise<ReceiveResult> {
  const { paymentId, state } = record.initiation
  const standing = record.payment?.status ?? state
  const isContradiction = verdict.decision === 'contradict'
  await ports.store.recordCallback({
    callback,
    disposition: isContradiction ? 'contradiction' : 'refused',
    paymentId,
    entry: {
      paymentId,
      at: arrival.at,
      event: isContradiction ? 'callback.contradiction' : 'callback.refused',
      cause: 'callback',
      before: standing,
      after: standing,
      evidence: { reason: verdict.reason, callback: arrival.digest },
    },
  })
  const outcome = isContradiction ? 'contradiction' : 'refused'
  return { processed: about(record, { outcome, isDuplicate: false, reason: verdict.reason }), settled: null }
}

function about(
  record: PaymentRecord,
  what: Pick<ProcessedCallback, 'outcome' | 'isDuplicate' | 'reason'>,
): ProcessedCallback {
  const receipt = record.payment?.mpesaReceiptNumber
  return {
    ...what,
    paymentId: record.initiation.paymentId,
    status: record.payment?.status ?? null,
    ...(typeof receipt === 'string' && { receipt }),
  }
}

function unapplied(what: Pick<ProcessedCallback, 'outcome' | 'reason'>): ReceiveResult {
  return { processed: { ...what, paymentId: null, status: null, isDuplicate: false }, settled: null }
}
