/** What a payment's story is looked up by, beside its ids. */
export const sql = /* sql */ `
CREATE INDEX mpesa_initiations_phone ON mpesa_initiations (phone_number, reserved_at);
CREATE INDEX mpesa_initiations_reference ON mpesa_initiations (account_reference, reserved_at);
CREATE INDEX mpesa_payments_receipt ON mpesa_payments (mpesa_receipt_number) WHERE mpesa_receipt_number IS NOT NULL;
`
