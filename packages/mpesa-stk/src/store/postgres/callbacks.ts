import type { Payment } from '../../core/payment/payment.ts'
import type { CallbackDisposition, CallbackEvidence } from '../../core/receive/callback-evidence.ts'
import { type CallbackRow, toCallback } from '../rows.ts'
import { all, type Queryable } from './pool.ts'
import { runTogether, type Statement } from './statement.ts'

export const callbackColumns = 'digest, checkout_request_id, merchant_request_id, body, received_at'

/** Keeps parking and the acceptance of the same ids apart: whichever comes second sees the other. */
export async function lockRequestIds(
  client: Queryable,
  ids: { readonly checkoutRequestId: string | null; readonly merchantRequestId: string | null },
): Promise<void> {
  const names = [ids.checkoutRequestId, ids.merchantRequestId].filter(id => id !== null).sort()
  await all(client, 'SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest($1::text[]) name', [
    names.map(name => `mpesa ${name}`),
  ])
}

export async function parkedFor(client: Queryable, payment: Payment | null): Promise<readonly CallbackEvidence[]> {
  if (payment === null) return []
  const rows = await all<CallbackRow>(
    client,
    `SELECT ${callbackColumns} FROM mpesa_callbacks WHERE disposition = 'parked' AND (checkout_request_id = $1 OR
       (checkout_request_id IS NULL AND merchant_request_id = $2)) ORDER BY received_at`,
    [payment.checkoutRequestId, payment.merchantRequestId],
  )
  return rows.map(toCallback)
}

export async function listCallbacks(
  on: Queryable,
  paymentId: string,
  disposition: CallbackDisposition,
  limit: number,
  offset: number,
): Promise<readonly CallbackEvidence[]> {
  const rows = await all<CallbackRow>(
    on,
    `SELECT ${callbackColumns} FROM mpesa_callbacks WHERE payment_id = $1 AND disposition = $2
     ORDER BY received_at, digest LIMIT $3 OFFSET $4`,
    [paymentId, disposition, limit, offset],
  )
  return rows.map(toCallback)
}

/** True when these bytes are new for this payment and disposition. */
export async function keep(
  client: Queryable,
  callback: CallbackEvidence,
  disposition: CallbackDisposition,
  paymentId: string | null,
): Promise<boolean> {
  const [row] = await runTogether<{ copies: number }>(client, [
    ...releaseCallback(callback, disposition, paymentId),
    keepCallback(callback, disposition, paymentId),
  ])
  return row?.copies === 1
}

/** A parked callback that finds its payment leaves the park, and one that waited for a confirmation waits no more. */
export function releaseCallback(
  { digest }: CallbackEvidence,
  disposition: CallbackDisposition,
  paymentId: string | null,
): readonly Statement[] {
  if (paymentId === null) return []
  return [
    {
      text: `DELETE FROM mpesa_callbacks WHERE digest = $1 AND disposition <> $3 AND
        ((payment_id = '' AND disposition = 'parked') OR (payment_id = $2 AND disposition = 'unconfirmed'))`,
      values: [digest, paymentId, disposition],
    },
  ]
}

export function keepCallback(
  { digest, checkoutRequestId, merchantRequestId, body, receivedAt }: CallbackEvidence,
  disposition: CallbackDisposition,
  paymentId: string | null,
): Statement {
  return {
    text: `INSERT INTO mpesa_callbacks (digest, payment_id, disposition, checkout_request_id, merchant_request_id, body,
        copies, received_at, last_received_at)
      VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7)
      ON CONFLICT (digest, payment_id, disposition)
        DO UPDATE SET copies = mpesa_callbacks.copies + 1, last_received_at = excluded.last_received_at
      RETURNING copies`,
    values: [digest, paymentId ?? '', disposition, checkoutRequestId, merchantRequestId, Buffer.from(body), receivedAt],
  }
}
