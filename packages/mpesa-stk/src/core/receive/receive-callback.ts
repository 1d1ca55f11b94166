import type { Payment, PaymentStatus } from '../payment/payment.ts'
import { statusOfCallbackCode } from '../payment/result-code.ts'
import { pollWork } from '../poll/poll-schedule.ts'
import type { PaymentRecord, Store } from '../ports.ts'
import { noteEntry } from '../settle/discrepancy.ts'
import {
  decideAndCommit,
  endingPoll,
  keepDisbelieved,
  markSettlement,
  type SettlePorts,
} from '../settle/settle-payment.ts'
import { sha256 } from '../sha256.ts'
import type { CallbackEvidence } from './callback-evidence.ts'
import { decideCallback } from './decide-callback.ts'
import { type ParsedCallback, parseCallback, type StkCallback } from './parse-callback.ts'

/**
 * What a callback came to. `outcome` says what happened; the other fields are the same on every member.
 *
 * - `settled`: it moved the payment (settled it, corrected a `TIMEOUT`, or brought a missing receipt).
 * - `repeat`: it said what was known.
 * - `in-progress`: Daraja says it is still working on it.
 * - `unconfirmed`: it waits until an STK query says the same (`confirmSuccess: 'query'`).
 * - `contradiction`: it says something else than what stands; kept with its `reason`, not applied.
 * - `refused`: its token is wrong or missing; kept, not applied.
 * - `parked`: no payment has these ids yet; applied by itself once one does.
 * - `unrecognised`: not an STK callback; kept.
 */
export type ProcessedCallback = {
  readonly outcome:
    | 'settled'
    | 'repeat'
    | 'in-progress'
    | 'unconfirmed'
    | 'contradiction'
    | 'refused'
    | 'parked'
    | 'unrecognised'
  readonly paymentId: string | null
  /** The payment's status after this callback; null when there is no payment. */
  readonly status: PaymentStatus | null
  readonly isDuplicate: boolean
  readonly receipt?: string
  /** Why it was not applied, where it was not. */
  readonly reason?: string
}

/** What became of a callback, the payment that it moved, and whether something is due now. */
export type ReceiveResult = {
  readonly processed: ProcessedCallback
  readonly settled: Payment | null
  readonly isWorkDue: boolean
}

/** Hundreds of times a real callback. Of a longer body this much is kept, so that nobody can fill the store with one. */
const maxBodyBytes = 256 * 1024

/** How soon a payment is asked about because of a callback that its trail has no room for. */
const floodPauseMs = 3_600_000

/** Takes a callback from its bytes to a stored effect. Every callback leaves a trace in the store, whatever it was. */
export async function receiveCallback(
  ports: SettlePorts,
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
    return about(byToken, { outcome: 'unrecognised', reason: parsed.reason })
  }
  if (tokenHash !== null && byToken === null) {
    await store.recordCallback({ callback, disposition: 'refused', paymentId: null })
    return about(null, { outcome: 'refused', reason: 'token-wrong' })
  }
  const record = byToken ?? (await findByRequestId(store, parsed)) ?? (await store.parkCallback(callback))
  return record === null
    ? about(null, { outcome: 'parked' })
    : applyCallback(ports, record, parsed, callback, tokenHash)
}

/** Applies callbacks that came before their payment was known. They came without a token, or would not have been parked. */
export async function applyParkedCallbacks(
  ports: SettlePorts,
  record: PaymentRecord,
  parked: readonly CallbackEvidence[],
): Promise<readonly ReceiveResult[]> {
  const results: ReceiveResult[] = []
  for (const callback of parked) {
    const parsed = parseCallback(callback.body)
    if (parsed.kind === 'stk') results.push(await applyCallback(ports, record, parsed, callback, null))
  }
  return results
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
  ports: SettlePorts,
  found: PaymentRecord,
  parsed: StkCallback,
  callback: CallbackEvidence,
  tokenHash: string | null,
): Promise<ReceiveResult> {
  const { store, confirmSuccess } = ports
  const result = await decideAndCommit(ports, found, (record, mark) => {
    const decision = decideCallback(record, parsed, { ...mark, tokenHash, digest: callback.digest, confirmSuccess })
    if (decision.decision === 'move') {
      return { step: 'commit', transition: endingPoll({ ...decision.transition, callback }) }
    }
    if (decision.decision === 'accept-and-confirm') {
      return { step: 'commit', transition: { ...decision.transition, callback } }
    }
    return { step: 'leave', decision }
  })
  const { record } = result
  if (result.outcome === 'moved') {
    return record.payment?.status === 'PENDING'
      ? about(record, { outcome: 'unconfirmed' }, true)
      : { ...about(record, { outcome: 'settled' }, true), settled: record.payment }
  }
  const { decision } = result
  const { paymentId } = record.initiation
  const mark = markSettlement(ports)
  const claimed = statusOfCallbackCode(parsed.resultCode)
  switch (decision.decision) {
    case 'contradict':
      await keepDisbelieved(ports, record, callback, mark, {
        disposition: 'contradiction',
        reason: decision.reason,
        claimed,
      })
      return about(record, { outcome: 'contradiction', reason: decision.reason }, true)
    case 'refuse':
      await keepDisbelieved(ports, record, callback, mark, { disposition: 'refused', reason: decision.reason, claimed })
      return about(record, { outcome: 'refused', reason: decision.reason })
    case 'confirm':
      await store.recordCallback({
        callback,
        disposition: 'unconfirmed',
        paymentId,
        entry: noteEntry(record, 'callback.unconfirmed', 'callback', mark, { callback: callback.digest }),
        entryWork: [pollWork(record.initiation, 0)],
        otherwiseWork: [pollWork(record.initiation, floodPauseMs)],
      })
      return about(record, { outcome: 'unconfirmed' }, true)
    case 'repeat':
    case 'in-progress':
      await store.recordCallback({ callback, disposition: decision.decision, paymentId })
      return about(record, { outcome: decision.decision })
  }
}

function about(
  record: PaymentRecord | null,
  what: Pick<ProcessedCallback, 'outcome' | 'reason'>,
  isWorkDue = false,
): ReceiveResult {
  const receipt = record?.payment?.mpesaReceiptNumber
  return {
    processed: {
      ...what,
      paymentId: record?.initiation.paymentId ?? null,
      status: record?.payment?.status ?? null,
      isDuplicate: what.outcome === 'repeat',
      ...(typeof receipt === 'string' && { receipt }),
    },
    settled: null,
    isWorkDue,
  }
}
