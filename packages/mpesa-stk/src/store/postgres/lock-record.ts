import type { TrailHead } from '../../core/audit/trail-chain.ts'
import type { PaymentRecord } from '../../core/ports.ts'
import { type InitiationRow, type PaymentRow, toInitiation, toPayment } from '../rows.ts'
import { first, type Queryable } from './pool.ts'
import { paymentColumns } from './records.ts'

/** A record as it stands, held until the transaction ends. */
export type LockedRecord = {
  readonly record: PaymentRecord
  readonly head: TrailHead
  /** Whether its trail has the entry that was asked for. */
  readonly hasEntry: boolean
}

/**
 * Two statements, and not one: a row that is locked is shown as it is once the lock is granted, but all else as it was when
 * the statement began. What others made while we waited for the first lock (the payment, an entry) only the second can see.
 */
export async function lockRecord(client: Queryable, paymentId: string, entryId: string | null): Promise<LockedRecord> {
  const initiation = await first<InitiationRow & { audit_count: number; audit_head: string }>(
    client,
    'SELECT * FROM mpesa_initiations WHERE payment_id = $1 FOR UPDATE',
    [paymentId],
  )
  if (initiation === undefined) throw new Error(`no initiation ${paymentId}`)
  // The payment is locked too: older code settles without asking for the initiation.
  const row = await first<{ has_entry: boolean } & (PaymentRow | Record<keyof PaymentRow, null>)>(
    client,
    `WITH locked AS (SELECT ${paymentColumns.join(', ')} FROM mpesa_payments WHERE id = $1 FOR UPDATE)
     SELECT EXISTS (SELECT 1 FROM mpesa_audit WHERE entry_id = $2) AS has_entry, locked.*
     FROM (SELECT 1) one LEFT JOIN locked ON true`,
    [paymentId, entryId],
  )
  return {
    record: { initiation: toInitiation(initiation), payment: row?.id == null ? null : toPayment(row) },
    head: { count: initiation.audit_count, hash: initiation.audit_head },
    hasEntry: row?.has_entry === true,
  }
}
