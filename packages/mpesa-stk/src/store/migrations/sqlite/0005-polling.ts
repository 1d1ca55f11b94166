/** Callbacks that wait for a confirmation, the pace of queries, and a poll for every payment that is still
 * pending and that Safaricom may still know: for two days, as far as was seen. Older ones would be asked about first, in
 * vain, while customers wait. */
export const sql = /* sql */ `
CREATE TABLE mpesa_callbacks_next (
  digest              TEXT NOT NULL,
  payment_id          TEXT NOT NULL,
  disposition         TEXT NOT NULL CHECK (disposition IN
                      ('applied','repeat','in-progress','unconfirmed','parked','contradiction','refused','unrecognised')),
  checkout_request_id TEXT,
  merchant_request_id TEXT,
  body                BLOB NOT NULL,
  copies              INTEGER NOT NULL,
  received_at         INTEGER NOT NULL,
  last_received_at    INTEGER NOT NULL,
  PRIMARY KEY (digest, payment_id, disposition)
) STRICT;
INSERT INTO mpesa_callbacks_next SELECT * FROM mpesa_callbacks;
DROP TABLE mpesa_callbacks;
ALTER TABLE mpesa_callbacks_next RENAME TO mpesa_callbacks;
CREATE INDEX mpesa_callbacks_payment ON mpesa_callbacks (payment_id) WHERE payment_id <> '';
CREATE INDEX mpesa_callbacks_parked_checkout ON mpesa_callbacks (checkout_request_id) WHERE disposition = 'parked';
CREATE INDEX mpesa_callbacks_parked_merchant ON mpesa_callbacks (merchant_request_id) WHERE disposition = 'parked';
CREATE INDEX mpesa_callbacks_unconfirmed ON mpesa_callbacks (payment_id, received_at) WHERE disposition = 'unconfirmed';

CREATE TABLE mpesa_query_paces (
  short_code  TEXT PRIMARY KEY,
  next_at     INTEGER NOT NULL,
  interval_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX mpesa_initiations_open ON mpesa_initiations (reserved_at) WHERE state IN ('sent', 'unknown');

INSERT INTO mpesa_due_work
SELECT 'poll:' || p.id, 'poll:' || i.short_code, p.id, 'initiation.accepted', 0, p.initiated_at, 0, NULL, NULL, NULL
FROM mpesa_payments p JOIN mpesa_initiations i ON i.payment_id = p.id WHERE p.status = 'PENDING'
  AND p.initiated_at > (unixepoch() - 172800) * 1000;
`
