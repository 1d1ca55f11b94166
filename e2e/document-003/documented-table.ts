import type { Pool } from 'pg'
import { expect } from 'vitest'

/** The table as the published description tells a reader to create it. */
export const documentedTable = `
CREATE TABLE IF NOT EXISTS mpesa_payments (
  id TEXT PRIMARY KEY,
  checkout_request_id TEXT UNIQUE NOT NULL,
  merchant_request_id TEXT NOT NULL,
  phone_number TEXT NOT NULL,
  amount INTEGER NOT NULL,
  account_reference TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'PENDING'
    CHECK (status IN ('PENDING','SUCCESS','FAILED','CANCELLED','TIMEOUT','EXPIRED')),
  mpesa_receipt_number TEXT,
  failure_reason TEXT,
  result_code INTEGER,
  initiated_at TIMESTAMPTZ NOT NULL,
  completed_at TIMESTAMPTZ,
  raw_callback JSONB,
  idempotency_key TEXT UNIQUE
);
CREATE INDEX IF NOT EXISTS mpesa_payments_status_initiated
ON mpesa_payments(status, initiated_at);`

/** The same as the server tells it: name, type, whether it may be null, default. */
const documentedColumns = [
  ['id', 'text', 'NO', null],
  ['checkout_request_id', 'text', 'NO', null],
  ['merchant_request_id', 'text', 'NO', null],
  ['phone_number', 'text', 'NO', null],
  ['amount', 'integer', 'NO', null],
  ['account_reference', 'text', 'NO', null],
  ['status', 'text', 'NO', "'PENDING'::text"],
  ['mpesa_receipt_number', 'text', 'YES', null],
  ['failure_reason', 'text', 'YES', null],
  ['result_code', 'integer', 'YES', null],
  ['initiated_at', 'timestamp with time zone', 'NO', null],
  ['completed_at', 'timestamp with time zone', 'YES', null],
  ['raw_callback', 'jsonb', 'YES', null],
  ['idempotency_key', 'text', 'YES', null],
]

/** Every documented column, constraint and index is there; what came to them has a default, so old inserts still work. */
export async function expectDocumentedTable(pool: Pool, schema: string): Promise<void> {
  const ask = async (text: string): Promise<unknown[][]> =>
    (await pool.query<unknown[]>({ text, values: [schema], rowMode: 'array' })).rows

  const columns = await ask(`SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns
    WHERE table_schema = $1 AND table_name = 'mpesa_payments' ORDER BY ordinal_position`)
  expect(columns.slice(0, documentedColumns.length)).toEqual(documentedColumns)
  const added = columns.slice(documentedColumns.length)
  expect(added.filter(([, , isNullable, byDefault]) => isNullable === 'NO' && byDefault === null)).toEqual([])

  const keys = await ask(`SELECT t.constraint_type, k.column_name FROM information_schema.table_constraints t
    JOIN information_schema.key_column_usage k USING (constraint_schema, constraint_name)
    WHERE t.table_schema = $1 AND t.table_name = 'mpesa_payments' ORDER BY k.column_name`)
  expect(keys).toEqual([
    ['UNIQUE', 'checkout_request_id'],
    ['PRIMARY KEY', 'id'],
    ['UNIQUE', 'idempotency_key'],
  ])

  const checks = await ask(`SELECT check_clause FROM information_schema.check_constraints
    JOIN information_schema.table_constraints USING (constraint_schema, constraint_name)
    WHERE table_schema = $1 AND table_name = 'mpesa_payments' AND check_clause LIKE '%status%'
      AND check_clause NOT LIKE '%IS NOT NULL'`)
  expect(String(checks[0]).match(/(?<=')[A-Z]+(?=')/g)).toEqual(
    'PENDING SUCCESS FAILED CANCELLED TIMEOUT EXPIRED'.split(' '),
  )

  const index = await ask(`SELECT indexdef FROM pg_indexes
    WHERE schemaname = $1 AND indexname = 'mpesa_payments_status_initiated'`)
  expect(String(index[0])).toMatch(/^CREATE INDEX .* ON \S*mpesa_payments USING btree \(status, initiated_at\)$/)
}
