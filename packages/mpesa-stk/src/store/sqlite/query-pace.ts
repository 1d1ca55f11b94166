import type { QueryPace } from '../../core/poll/query-pace.ts'
import { type PaceRow, toQueryPace } from '../rows.ts'
import type { SqliteStatements } from './statements.ts'

export function changeQueryPace(
  on: SqliteStatements,
  shortCode: string,
  change: (pace: QueryPace | null) => QueryPace,
): QueryPace {
  const row = on.get<PaceRow>('SELECT next_at, interval_ms FROM mpesa_query_paces WHERE short_code = ?', [shortCode])
  const next = change(row === undefined ? null : toQueryPace(row))
  on.run('INSERT OR REPLACE INTO mpesa_query_paces VALUES (?, ?, ?)', [
    shortCode,
    next.nextAt.getTime(),
    next.intervalMs,
  ])
  return next
}
