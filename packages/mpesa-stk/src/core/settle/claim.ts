import type { AuditCause, AuditEvidence } from '../audit/audit-entry.ts'
import type { SettledStatus } from '../payment/payment.ts'
import { statusOfCallbackCode } from '../payment/result-code.ts'
import type { StkCallback } from '../receive/parse-callback.ts'

/** What somebody says became of a payment: a callback, an answer to a query, a statement, a person. */
export type Claim = {
  readonly cause: AuditCause
  readonly status: SettledStatus
  readonly checkoutRequestId: string | null
  readonly merchantRequestId: string | null
  /** As Daraja wrote it; null when the claim is not Daraja's. */
  readonly resultCode: string | null
  readonly resultDesc: string
  /** As it came; undefined when the claim says nothing of it. */
  readonly amount: unknown
  readonly receipt: string | null
  /** Whether a success that names no amount is to be believed: a query never names one, a callback always should. */
  readonly needsAmount: boolean
  /**
   * `overrules`: it may change what is settled otherwise, as only a person may who has looked. `yields`: it is no account of
   * the payment, and gives way to any.
   */
  readonly weight: 'yields' | 'claims' | 'overrules'
  /** Facts about the claim, for the audit trail. */
  readonly evidence: AuditEvidence
}

/** What a callback claims; null while Daraja is still working on it. `digest` is the SHA-256 of its body. */
export function claimOfCallback(callback: StkCallback, digest: string, evidence: AuditEvidence = {}): Claim | null {
  const status = statusOfCallbackCode(callback.resultCode)
  if (status === null) return null
  const { checkoutRequestId, merchantRequestId, resultCode, resultDesc, amount, receipt } = callback
  return {
    cause: 'callback',
    status,
    checkoutRequestId,
    merchantRequestId,
    resultCode,
    resultDesc,
    amount,
    receipt,
    needsAmount: true,
    weight: 'claims',
    evidence: { callback: digest, ...evidence },
  }
}

/** What an answer to a query claims, and what the end of waiting does: neither has ids, an amount or a receipt. */
function claimWithoutDetails(
  cause: AuditCause,
  status: SettledStatus,
  resultCode: string | null,
  resultDesc: string,
  evidence: AuditEvidence,
): Claim {
  return {
    cause,
    status,
    checkoutRequestId: null,
    merchantRequestId: null,
    resultCode,
    resultDesc,
    amount: undefined,
    receipt: null,
    needsAmount: false,
    weight: 'claims',
    evidence,
  }
}

/** What the final answer to a query claims. `answers` counts the queries that were answered, this one included. */
export function claimOfQuery(resultCode: string, resultDesc: string, answers: number): Claim | null {
  const status = statusOfCallbackCode(resultCode)
  return status === null ? null : claimWithoutDetails('poll', status, resultCode, resultDesc, { answers })
}

/** That we have waited long enough. It says nothing about the money. */
export function claimOfWaiting(answers: number): Claim {
  const text = `no final answer from Safaricom after ${answers} ${answers === 1 ? 'query' : 'queries'}`
  return { ...claimWithoutDetails('poll', 'TIMEOUT', null, text, { answers }), weight: 'yields' }
}
