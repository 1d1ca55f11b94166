/** Daraja's access tokens, sealed by the library, and who is fetching the next one. */
export const sql = /* sql */ `
CREATE TABLE mpesa_access_tokens (
  name          TEXT PRIMARY KEY,
  sealed        BYTEA,
  digest        TEXT,
  ends_at       TIMESTAMPTZ,
  fetched_until TIMESTAMPTZ
);
`
