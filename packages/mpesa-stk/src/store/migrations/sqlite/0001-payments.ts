/**
 * Times are milliseconds since 1970 (UTC). `mpesa_payments` has the documented columns by name; `version` and
 * `result_code_text` are ours. A refused initiation frees its idempotency key, which the partial index says as data.
 */
export const sql = /* sql */ `
CREATE TABLE mpesa_initiations (
  payment_id        TEXT PRIMARY KEY,
  idempotency_key   TEXT,
  state             TEXT NOT NULL CHECK (state IN ('reserved','sent','accepted','refused','unknown')),
  phone_number      TEXT NOT NULL,
  amount            INTEGER NOT NULL,
  account_reference TEXT NOT NULL,
  description       TEXT NOT NULL,
  short_code        TEXT NOT NULL,
  transaction_type  TEXT NOT NULL,
  party_b           TEXT NOT NULL,
  token_hash        TEXT UNIQUE,
  reserved_at       INTEGER NOT NULL,
  send_deadline_at  INTEGER,
  concluded_at      INTEGER,
  answer_code       TEXT,
  answer_message    TEXT
) STRICT;

CREATE UNIQUE INDEX mpesa_initiations_key ON mpesa_initiations (idempotency_key) WHERE state <> 'refused';

CREATE TABLE mpesa_payments (
  id                   TEXT PRIMARY KEY REFERENCES mpesa_initiations (payment_id),
  checkout_request_id  TEXT UNIQUE NOT NULL,
  merchant_request_id  TEXT NOT NULL,
  phone_number         TEXT NOT NULL,
  amount               INTEGER NOT NULL,
  account_reference    TEXT NOT NULL,
  status               TEXT NOT NULL DEFAULT 'PENDING'
                       CHECK (status IN ('PENDING','SUCCESS','FAILED','CANCELLED','TIMEOUT','EXPIRED')),
  mpesa_receipt_number TEXT UNIQUE,
  failure_reason       TEXT,
  result_code          INTEGER,
  result_code_text     TEXT,
  initiated_at         INTEGER NOT NULL,
  completed_at         INTEGER,
  raw_callback         TEXT,
  idempotency_key      TEXT UNIQUE,
  version              INTEGER NOT NULL
) STRICT;

CREATE INDEX mpesa_payments_status_initiated ON mpesa_payments (status, initiated_at);
CREATE INDEX mpesa_payments_merchant_request ON mpesa_payments (merchant_request_id);

-- One row for the same bytes, payment and disposition; payment_id is empty while there is none.
CREATE TABLE mpesa_callbacks (
  digest              TEXT NOT NULL,
  payment_id          TEXT NOT NULL,
  disposition         TEXT NOT NULL CHECK (disposition IN
                      ('applied','repeat','in-progress','parked','contradiction','refused','unrecognised')),
  checkout_request_id TEXT,
  merchant_request_id TEXT,
  body                BLOB NOT NULL,
  copies              INTEGER NOT NULL,
  received_at         INTEGER NOT NULL,
  last_received_at    INTEGER NOT NULL,
  PRIMARY KEY (digest, payment_id, disposition)
) STRICT;

CREATE INDEX mpesa_callbacks_payment ON mpesa_callbacks (payment_id) WHERE payment_id <> '';
CREATE INDEX mpesa_callbacks_parked_checkout ON mpesa_callbacks (checkout_request_id) WHERE disposition = 'parked';
CREATE INDEX mpesa_callbacks_parked_merchant ON mpesa_callbacks (merchant_request_id) WHERE disposition = 'parked';

CREATE TABLE mpesa_audit (
  payment_id TEXT NOT NULL,
  sequence   INTEGER NOT NULL,
  entry_id   TEXT NOT NULL UNIQUE,
  at         INTEGER NOT NULL,
  event      TEXT NOT NULL,
  cause      TEXT NOT NULL,
  before     TEXT,
  after      TEXT,
  evidence   TEXT NOT NULL,
  PRIMARY KEY (payment_id, sequence)
) STRICT, WITHOUT ROWID;

-- REPLACE deletes without asking the trigger on DELETE, so it is refused where it inserts.
CREATE TRIGGER mpesa_audit_no_replace BEFORE INSERT ON mpesa_audit
WHEN EXISTS (SELECT 1 FROM mpesa_audit WHERE payment_id = NEW.payment_id AND sequence = NEW.sequence)
BEGIN SELECT RAISE(ABORT, 'mpesa_audit is append-only'); END;
CREATE TRIGGER mpesa_audit_no_update BEFORE UPDATE ON mpesa_audit
BEGIN SELECT RAISE(ABORT, 'mpesa_audit is append-only'); END;
CREATE TRIGGER mpesa_audit_no_delete BEFORE DELETE ON mpesa_audit
BEGIN SELECT RAISE(ABORT, 'mpesa_audit is append-only'); END;
`
