/**
 * The same schema as SQLite's migration of this number. `mpesa_payments` may exist already, made by hand from the
 * documented DDL: it keeps its rows and gets our columns, and each of its payments gets the initiation that it must
 * once have had. A trigger does the same for rows that older code or a person inserts later, so that a key counts as used
 * whichever table has it.
 *
 * Receipts are unique in a table of their own, because a unique index could not be made over old rows that repeat one.
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
  reserved_at       TIMESTAMPTZ NOT NULL,
  send_deadline_at  TIMESTAMPTZ,
  concluded_at      TIMESTAMPTZ,
  answer_code       TEXT,
  answer_message    TEXT
);
CREATE UNIQUE INDEX mpesa_initiations_key ON mpesa_initiations (idempotency_key) WHERE state <> 'refused';

CREATE TABLE IF NOT EXISTS mpesa_payments (
  id                   TEXT PRIMARY KEY,
  checkout_request_id  TEXT UNIQUE NOT NULL,
  merchant_request_id  TEXT NOT NULL,
  phone_number         TEXT NOT NULL,
  amount               INTEGER NOT NULL,
  account_reference    TEXT NOT NULL,
  status               TEXT NOT NULL DEFAULT 'PENDING'
                       CHECK (status IN ('PENDING','SUCCESS','FAILED','CANCELLED','TIMEOUT','EXPIRED')),
  mpesa_receipt_number TEXT,
  failure_reason       TEXT,
  result_code          INTEGER,
  initiated_at         TIMESTAMPTZ NOT NULL,
  completed_at         TIMESTAMPTZ,
  raw_callback         JSONB,
  idempotency_key      TEXT UNIQUE
);
ALTER TABLE mpesa_payments
  ADD COLUMN IF NOT EXISTS result_code_text TEXT,
  ADD COLUMN IF NOT EXISTS version INTEGER NOT NULL DEFAULT 1;
UPDATE mpesa_payments SET result_code_text = result_code::text WHERE result_code IS NOT NULL AND result_code_text IS NULL;
CREATE INDEX IF NOT EXISTS mpesa_payments_status_initiated ON mpesa_payments (status, initiated_at);
CREATE INDEX IF NOT EXISTS mpesa_payments_merchant_request ON mpesa_payments (merchant_request_id);

-- Never fails the insert that it follows: when the key is taken by now, the payment is adopted without it.
CREATE FUNCTION mpesa_adopt_payment() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO mpesa_initiations (payment_id, idempotency_key, state, phone_number, amount, account_reference, description,
    short_code, transaction_type, party_b, reserved_at, concluded_at)
  VALUES (NEW.id, NEW.idempotency_key, 'accepted', NEW.phone_number, NEW.amount, NEW.account_reference, '', '',
    'CustomerPayBillOnline', '', NEW.initiated_at, NEW.initiated_at)
  ON CONFLICT DO NOTHING;
  INSERT INTO mpesa_initiations (payment_id, idempotency_key, state, phone_number, amount, account_reference, description,
    short_code, transaction_type, party_b, reserved_at, concluded_at)
  VALUES (NEW.id, NULL, 'accepted', NEW.phone_number, NEW.amount, NEW.account_reference, '', '',
    'CustomerPayBillOnline', '', NEW.initiated_at, NEW.initiated_at)
  ON CONFLICT (payment_id) DO NOTHING;
  RETURN NEW;
END $$;
INSERT INTO mpesa_initiations (payment_id, idempotency_key, state, phone_number, amount, account_reference, description,
  short_code, transaction_type, party_b, reserved_at, concluded_at)
SELECT id, idempotency_key, 'accepted', phone_number, amount, account_reference, '', '', 'CustomerPayBillOnline', '',
  initiated_at, initiated_at FROM mpesa_payments;
CREATE TRIGGER mpesa_payments_adopt AFTER INSERT ON mpesa_payments FOR EACH ROW EXECUTE FUNCTION mpesa_adopt_payment();

CREATE TABLE mpesa_receipts (
  receipt    TEXT PRIMARY KEY,
  payment_id TEXT NOT NULL
);
INSERT INTO mpesa_receipts (receipt, payment_id)
SELECT mpesa_receipt_number, id FROM mpesa_payments WHERE mpesa_receipt_number IS NOT NULL ORDER BY initiated_at
ON CONFLICT DO NOTHING;

-- Older code and people write beside us: what they settle must count for our compare-and-set and for the receipts.
CREATE FUNCTION mpesa_count_foreign_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.version = OLD.version AND (NEW.status, NEW.mpesa_receipt_number) IS DISTINCT FROM (OLD.status, OLD.mpesa_receipt_number)
  THEN NEW.version := OLD.version + 1; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER mpesa_payments_version BEFORE UPDATE ON mpesa_payments FOR EACH ROW EXECUTE FUNCTION mpesa_count_foreign_change();
CREATE FUNCTION mpesa_note_receipt() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.mpesa_receipt_number IS NOT NULL THEN
    INSERT INTO mpesa_receipts (receipt, payment_id) VALUES (NEW.mpesa_receipt_number, NEW.id) ON CONFLICT DO NOTHING;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER mpesa_payments_receipt AFTER INSERT OR UPDATE OF mpesa_receipt_number ON mpesa_payments
  FOR EACH ROW EXECUTE FUNCTION mpesa_note_receipt();

-- One row for the same bytes, payment and disposition; payment_id is empty while there is none.
CREATE TABLE mpesa_callbacks (
  digest              TEXT NOT NULL,
  payment_id          TEXT NOT NULL,
  disposition         TEXT NOT NULL CHECK (disposition IN
                      ('applied','repeat','in-progress','parked','contradiction','refused','unrecognised')),
  checkout_request_id TEXT,
  merchant_request_id TEXT,
  body                BYTEA NOT NULL,
  copies              INTEGER NOT NULL,
  received_at         TIMESTAMPTZ NOT NULL,
  last_received_at    TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (digest, payment_id, disposition)
);
CREATE INDEX mpesa_callbacks_payment ON mpesa_callbacks (payment_id) WHERE payment_id <> '';
CREATE INDEX mpesa_callbacks_parked_checkout ON mpesa_callbacks (checkout_request_id) WHERE disposition = 'parked';
CREATE INDEX mpesa_callbacks_parked_merchant ON mpesa_callbacks (merchant_request_id) WHERE disposition = 'parked';

CREATE TABLE mpesa_audit (
  payment_id TEXT NOT NULL,
  sequence   INTEGER NOT NULL,
  entry_id   TEXT NOT NULL UNIQUE,
  at         TIMESTAMPTZ NOT NULL,
  event      TEXT NOT NULL,
  cause      TEXT NOT NULL,
  before     TEXT,
  after      TEXT,
  evidence   TEXT NOT NULL,
  PRIMARY KEY (payment_id, sequence)
);
CREATE FUNCTION mpesa_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'mpesa_audit is append-only';
END $$;
CREATE TRIGGER mpesa_audit_no_change BEFORE UPDATE OR DELETE ON mpesa_audit
  FOR EACH ROW EXECUTE FUNCTION mpesa_audit_is_append_only();
CREATE TRIGGER mpesa_audit_no_truncate BEFORE TRUNCATE ON mpesa_audit
  FOR EACH STATEMENT EXECUTE FUNCTION mpesa_audit_is_append_only();

-- JSONB refuses some legal JSON (a NUL, half a surrogate, deep nesting). The bytes are kept elsewhere; this is for people.
CREATE FUNCTION mpesa_try_jsonb(body TEXT) RETURNS JSONB LANGUAGE plpgsql AS $$
BEGIN
  RETURN body::jsonb;
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END $$;
`
