/** Callbacks that wait for a confirmation, the pace of queries, and a poll for every payment that is still
 * pending and that Safaricom may still know: for two days, as far as was seen. Older ones would be asked about first, in
 * vain, while customers wait. */
export const sql = /* sql */ `
ALTER TABLE mpesa_callbacks DROP CONSTRAINT mpesa_callbacks_disposition_check;
ALTER TABLE mpesa_callbacks ADD CONSTRAINT mpesa_callbacks_disposition_check CHECK (disposition IN
  ('applied','repeat','in-progress','unconfirmed','parked','contradiction','refused','unrecognised'));
CREATE INDEX mpesa_callbacks_unconfirmed ON mpesa_callbacks (payment_id, received_at) WHERE disposition = 'unconfirmed';

CREATE TABLE mpesa_query_paces (
  short_code  TEXT PRIMARY KEY,
  next_at     TIMESTAMPTZ NOT NULL,
  interval_ms INTEGER NOT NULL
);

CREATE INDEX mpesa_initiations_open ON mpesa_initiations (reserved_at) WHERE state IN ('sent', 'unknown');

INSERT INTO mpesa_due_work
SELECT 'poll:' || p.id, 'poll:' || i.short_code, p.id, 'initiation.accepted', 0, p.initiated_at, 0, NULL, NULL, NULL
FROM mpesa_payments p JOIN mpesa_initiations i ON i.payment_id = p.id WHERE p.status = 'PENDING'
  AND p.initiated_at > now() - interval '48 hours';
`
