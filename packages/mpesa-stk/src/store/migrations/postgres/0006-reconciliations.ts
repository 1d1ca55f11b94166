/** How far each reconciliation has come, and who works on it. The mismatches are JSON: they are read and written whole. */
export const sql = /* sql */ `
CREATE TABLE mpesa_reconciliations (
  short_code       TEXT NOT NULL,
  from_at          TIMESTAMPTZ NOT NULL,
  to_at            TIMESTAMPTZ NOT NULL,
  checked          INTEGER NOT NULL,
  matched          INTEGER NOT NULL,
  skipped          INTEGER NOT NULL,
  mismatches       TEXT NOT NULL,
  after_initiated  TIMESTAMPTZ,
  after_payment_id TEXT,
  is_done          INTEGER NOT NULL,
  saved_at         TIMESTAMPTZ NOT NULL,
  lease_id         TEXT NOT NULL,
  lease_until      TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (short_code, from_at, to_at)
);
CREATE INDEX mpesa_payments_initiated ON mpesa_payments (initiated_at, id);
`
