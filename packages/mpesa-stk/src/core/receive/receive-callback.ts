import { MpesaStkError } from '../errors.ts'
import type { Payment, PaymentStatus } from '../payment/payment.ts'
import type { Clock, Logger, PaymentRecord, Random, Store } from '../ports.ts'
import { commitSurely } from '../settle/commit-surely.ts'
import { type Arrival, type ContradictionReason, decideSettlement } from '../settle/decide-settlement.ts'
import { sha256 } from '../sha256.ts'
import { createTimeOrderedId } from '../time-ordered-id.ts'
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
export type ReceivePorts = {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** What became of a callback, and the payment that it moved, for the handlers to hear of. */
export type ReceiveResult = { readonly processed: ProcessedCallback; readonly settled: Payment | null }

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
  const { store, clock } = ports
  const body = received.subarray(0, maxBodyBytes)
  const parsed: ParsedCallback =
    received.length > maxBodyBytes
      ? { kind: 'unrecognised', reason: `the body is longer than ${maxBodyBytes} bytes` }
      : parseCallback(body)
  const callback: CallbackEvidence = {
    digest: sha256(body),
    body,
    checkoutRequestId: parsed.kind === 'stk' ? parsed.checkoutRequestId : null,
    merchantRequestId: parsed.kind === 'stk' ? parsed.merchantRequestId : null,
    receivedAt: clock.now(),
  }
  const tokenHash = token === null ? null : sha256(token)
  const byToken = tokenHash === null ? null : await store.findPayment({ tokenHash })
  if (parsed.kind === 'unrecognised') {
    const paymentId = byToken?.initiation.paymentId ?? null
    await store.recordCallback({ callback, disposition: 'unrecognised', paymentId })
    return byToken === null
      ? withoutPayment('unrecognised', parsed.reason)
      : {
          processed: about(byToken, { outcome: 'unrecognised', isDuplicate: false, reason: parsed.reason }),
          settled: null,
        }
  }
  if (tokenHash !== null && byToken === null) {
    await store.recordCallback({ callback, disposition: 'refused', paymentId: null })
    return withoutPayment('refused', 'token-wrong')
  }
  const record = byToken ?? (await findByRequestId(store, parsed)) ?? (await store.parkCallback(callback))
  return record === null ? withoutPayment('parked') : applyCallback(ports, record, parsed, callback, tokenHash)
}

/** Applies callbacks that came before their payment was known. They came without a token, or would not have been parked. */
export async function applyParkedCallbacks(
  ports: ReceivePorts,
  record: PaymentRecord,
  parked: readonly CallbackEvidence[],
): Promise<readonly Payment[]> {
  const settled: Payment[] = []
  for (const callback of parked) {
    const parsed = parseCallback(callback.body)
    if (parsed.kind !== 'stk') continue
    const result = await applyCallback(ports, record, parsed, callback, null)
    if (result.settled !== null) settled.push(result.settled)
  }
  return settled
}

/**
 * By CheckoutRequestID; by MerchantRequestID only where there is no other, because it is not proven to be unique and a
 * payment must not swallow the callback of its neighbour.
 */
async function findByRequestId(store: Store, callback: StkCallback): Promise<PaymentRecord | null> {
  const { checkoutRequestId, merchantRequestId } = callback
  if (checkoutRequestId !== null) return store.findPayment({ checkoutRequestId })
  return merchantRequestId === null ? null : store.findPayment({ merchantRequestId })
}

async function applyCallback(
  ports: ReceivePorts,
  found: PaymentRecord,
  parsed: StkCallback,
  callback: CallbackEvidence,
  tokenHash: string | null,
): Promise<ReceiveResult> {
  const { store, clock, random } = ports
  let record = found
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const at = clock.now()
    const arrival: Arrival = { entryId: createTimeOrderedId(at, random(16)), tokenHash, at, digest: callback.digest }
    const decision = decideSettlement(record, parsed, arrival)
    if (decision.decision === 'contradict' || decision.decision === 'refuse') {
      return keep(ports, record, callback, arrival, decision)
    }
    if (decision.decision !== 'move') {
      const { decision: disposition } = decision
      await store.recordCallback({ callback, disposition, paymentId: record.initiation.paymentId })
      return {
        processed: about(record, { outcome: disposition, isDuplicate: disposition === 'repeat' }),
        settled: null,
      }
    }
    const committed = await commitSurely(ports, { ...decision.transition, callback })
    if (committed.outcome === 'committed') {
      return {
        processed: about(committed.record, { outcome: 'settled', isDuplicate: false }),
        settled: committed.record.payment,
      }
    }
    if (committed.outcome === 'taken') {
      const reason = committed.field === 'receipt' ? 'receipt-seen-before' : 'checkout-request-id-seen-before'
      return keep(ports, record, callback, arrival, { decision: 'contradict', reason })
    }
    record = committed.record
  }
  throw new MpesaStkError(
    'MPESA_STK_STORE_CONTENDED',
    `payment ${found.initiation.paymentId} changed ${maxAttempts} times while one callback was applied; send the callback again`,
  )
}

type Verdict = {
  readonly decision: 'contradict' | 'refuse'
  readonly reason: ContradictionReason | 'token-missing' | 'token-wrong'
}

/** Keeps a callback that was not believed, once on the payment's own trail. */
async function keep(
  { store }: ReceivePorts,
  record: PaymentRecord,
  callback: CallbackEvidence,
  { entryId, at, digest }: Arrival,
  { decision, reason }: Verdict,
): Promise<ReceiveResult> {
  const { paymentId, state } = record.initiation
  const standing = record.payment?.status ?? state
  const outcome = decision === 'contradict' ? 'contradiction' : 'refused'
  await store.recordCallback({
    callback,
    disposition: outcome,
    paymentId,
    entry: {
      id: entryId,
      paymentId,
      at,
      event: `callback.${outcome}`,
      cause: 'callback',
      before: standing,
      after: standing,
      evidence: { reason, callback: digest },
    },
  })
  return { processed: about(record, { outcome, isDuplicate: false, reason }), settled: null }
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

function withoutPayment(outcome: ProcessedCallback['outcome'], reason?: string): ReceiveResult {
  const processed = { outcome, paymentId: null, status: null, isDuplicate: false }
  return { processed: reason === undefined ? processed : { ...processed, reason }, settled: null }
}
