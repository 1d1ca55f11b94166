/** How often work was tried in vain, and which run of a reconciliation a row is. How far the runs of before came is forgotten. */
export const sql = /* sql */ `
ALTER TABLE mpesa_due_work ADD COLUMN vain_tries INTEGER NOT NULL DEFAULT 0;
DELETE FROM mpesa_reconciliations;
ALTER TABLE mpesa_reconciliations ADD COLUMN run INTEGER NOT NULL DEFAULT 1;
`
