/**
 * The audit trail, chained by hashes and in one order of writing. The entries of the table before are written anew into it
 * by `chainOldEntries`, because their hashes are ours to make.
 */
export const sql = /* sql */ `
ALTER TABLE mpesa_initiations ADD COLUMN audit_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mpesa_initiations ADD COLUMN audit_head TEXT NOT NULL DEFAULT '';

ALTER TABLE mpesa_audit RENAME TO mpesa_audit_unchained;
DROP TRIGGER mpesa_audit_no_replace;
DROP TRIGGER mpesa_audit_no_update;
DROP TRIGGER mpesa_audit_no_delete;

CREATE TABLE mpesa_audit (
  position   INTEGER PRIMARY KEY AUTOINCREMENT,
  payment_id TEXT NOT NULL,
  sequence   INTEGER NOT NULL,
  entry_id   TEXT NOT NULL UNIQUE,
  at         INTEGER NOT NULL,
  event      TEXT NOT NULL,
  cause      TEXT NOT NULL,
  before     TEXT,
  after      TEXT,
  evidence   TEXT NOT NULL,
  hash       TEXT NOT NULL,
  UNIQUE (payment_id, sequence)
) STRICT;

-- REPLACE deletes without asking the trigger on DELETE, so it is refused where it inserts.
CREATE TRIGGER mpesa_audit_no_replace BEFORE INSERT ON mpesa_audit
WHEN EXISTS (SELECT 1 FROM mpesa_audit WHERE position = NEW.position OR entry_id = NEW.entry_id
  OR (payment_id = NEW.payment_id AND sequence = NEW.sequence))
BEGIN SELECT RAISE(ABORT, 'mpesa_audit is append-only'); END;
CREATE TRIGGER mpesa_audit_no_update BEFORE UPDATE ON mpesa_audit
BEGIN SELECT RAISE(ABORT, 'mpesa_audit is append-only'); END;
CREATE TRIGGER mpesa_audit_no_delete BEFORE DELETE ON mpesa_audit
BEGIN SELECT RAISE(ABORT, 'mpesa_audit is append-only'); END;

CREATE TABLE mpesa_audit_checkpoints (
  number  INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL,
  through INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  digest  TEXT NOT NULL,
  seal    TEXT NOT NULL
) STRICT;
`
