/** SQLite's primary codes for the same: too big, a constraint, a mismatch. */
const sqliteCodes: ReadonlySet<number> = new Set([18, 19, 20])

/** PostgreSQL's classes for data that it cannot hold or that break a rule, and what SQLite's two drivers say of them. */
export function isDataError(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const errcode: unknown = Reflect.get(error, 'errcode')
  if (typeof errcode === 'number') return sqliteCodes.has(errcode & 0xff)
  return /^2[23]|^SQLITE_(?:CONSTRAINT|MISMATCH|TOOBIG)/.test(String(Reflect.get(error, 'code')))
}
