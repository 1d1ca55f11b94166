/** PostgreSQL's classes for data that it cannot hold or that break a rule, and SQLite's words for them. */
export function isDataError(error: unknown): boolean {
  const code = error instanceof Error ? String(Reflect.get(error, 'code')) : ''
  return /^2[23]|^SQLITE_(?:CONSTRAINT|MISMATCH|TOOBIG)/.test(code)
}
