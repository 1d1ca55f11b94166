/** Work that is due: claimed under a lease, deleted when done, parked when it failed too often. */
export const sql = /* sql */ `
CREATE TABLE mpesa_due_work (
  id          TEXT PRIMARY KEY,
  kind        TEXT NOT NULL,
  payment_id  TEXT NOT NULL,
  cause       TEXT NOT NULL,
  attempts    INTEGER NOT NULL,
  due_at      TIMESTAMPTZ NOT NULL,
  is_parked   INTEGER NOT NULL,
  lease_id    TEXT,
  lease_until TIMESTAMPTZ,
  last_error  TEXT
);
CREATE INDEX mpesa_due_work_due ON mpesa_due_work (kind, due_at) WHERE is_parked = 0;
`
