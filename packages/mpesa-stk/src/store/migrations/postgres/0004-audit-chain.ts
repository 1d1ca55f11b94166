/**
 * The audit trail, chained by hashes and in one order of writing. The entries of the table before are written anew into it
 * by `chainOldEntries`, because their hashes are ours to make.
 */
export const sql = /* sql */ `
ALTER TABLE mpesa_initiations
  ADD COLUMN audit_count INTEGER NOT NULL DEFAULT 0,
  ADD COLUMN audit_head TEXT NOT NULL DEFAULT '';

ALTER TABLE mpesa_audit RENAME TO mpesa_audit_unchained;
ALTER TABLE mpesa_audit_unchained RENAME CONSTRAINT mpesa_audit_pkey TO mpesa_audit_unchained_pkey;
ALTER TABLE mpesa_audit_unchained RENAME CONSTRAINT mpesa_audit_entry_id_key TO mpesa_audit_unchained_entry_id_key;

CREATE TABLE mpesa_audit (
  position   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  payment_id TEXT NOT NULL,
  sequence   INTEGER NOT NULL,
  entry_id   TEXT NOT NULL UNIQUE,
  at         TIMESTAMPTZ NOT NULL,
  event      TEXT NOT NULL,
  cause      TEXT NOT NULL,
  before     TEXT,
  after      TEXT,
  evidence   TEXT NOT NULL,
  hash       TEXT NOT NULL,
  UNIQUE (payment_id, sequence)
);
CREATE TRIGGER mpesa_audit_no_change BEFORE UPDATE OR DELETE ON mpesa_audit
  FOR EACH ROW EXECUTE FUNCTION mpesa_audit_is_append_only();
CREATE TRIGGER mpesa_audit_no_truncate BEFORE TRUNCATE ON mpesa_audit
  FOR EACH STATEMENT EXECUTE FUNCTION mpesa_audit_is_append_only();

CREATE TABLE mpesa_audit_checkpoints (
  number  INTEGER PRIMARY KEY,
  at      TIMESTAMPTZ NOT NULL,
  through BIGINT NOT NULL,
  entries INTEGER NOT NULL,
  digest  TEXT NOT NULL,
  seal    TEXT NOT NULL
);
`
