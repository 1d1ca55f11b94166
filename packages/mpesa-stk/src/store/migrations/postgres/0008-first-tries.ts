/** When work was claimed first, and which run of a reconciliation a row is. How far the runs of before came is forgotten. */
export const sql = /* sql */ `
ALTER TABLE mpesa_due_work ADD COLUMN first_tried_at TIMESTAMPTZ;
DELETE FROM mpesa_reconciliations;
ALTER TABLE mpesa_reconciliations ADD COLUMN run INTEGER NOT NULL DEFAULT 1;
`
