import type { NewReplayRun, ReplayFilter, ReplayRun } from '../../core/deliver/replay-run.ts'
import { filterOf, type ReplayRow } from '../relay-rows.ts'
import type { SqliteValue } from './database.ts'
import type { SqliteStatements } from './statements.ts'

const secondMs = 1_000

/** A lease that has not run out stays in the way of the next attempt, and counts for nothing more. */
export function replayEvents(on: SqliteStatements, eventIds: readonly string[], at: Date): number {
  return on.all(
    `UPDATE relay_delivery_events SET status = 'PENDING', failures = 0, due_at = ?1, lease_id = NULL
     WHERE id IN (SELECT value FROM json_each(?2)) AND body IS NOT NULL AND kind <> 'lifecycle' RETURNING id`,
    [at.getTime(), JSON.stringify(eventIds)],
  ).length
}

export function countReplayable(on: SqliteStatements, appId: string, filter: ReplayFilter): number {
  return matching(on, appId, filter).count
}

export function startReplay(on: SqliteStatements, run: NewReplayRun, at: Date): ReplayRun {
  const { id, appId, filter, perSecond, createdAt } = run
  const { count, last } = matching(on, appId, filter)
  on.run(`INSERT INTO relay_replays VALUES (?, ?, ?, ?, ?, ?, ?, 'RUNNING', ?, 0, '', ?, ?, ?, NULL)`, [
    id,
    appId,
    filter.status,
    filter.kind,
    filter.from?.getTime() ?? null,
    filter.to?.getTime() ?? null,
    perSecond,
    count,
    last ?? '',
    at.getTime(),
    createdAt.getTime(),
  ])
  return { ...run, state: 'RUNNING', matched: count, replayed: 0, endedAt: null }
}

export function advanceReplays(on: SqliteStatements, at: Date): number {
  const due = on.all<ReplayRow>(`SELECT * FROM relay_replays WHERE state = 'RUNNING' AND next_at <= ?`, [at.getTime()])
  return due.reduce((sum, row) => sum + advanceReplay(on, row, at), 0)
}

export function endReplaysOf(on: SqliteStatements, appId: string, at: Date): void {
  on.run(`UPDATE relay_replays SET state = 'CANCELLED', ended_at = ? WHERE app_id = ? AND state = 'RUNNING'`, [
    at.getTime(),
    appId,
  ])
}

function advanceReplay(on: SqliteStatements, row: ReplayRow, at: Date): number {
  const ids = on
    .all<{ id: string }>(
      `SELECT id FROM relay_delivery_events WHERE ${matches(filterOf(row))} AND id > ?5 AND id <= ?6 ORDER BY id LIMIT ?7`,
      [...valuesOf(row.app_id, filterOf(row)), row.after_id, row.until_id, row.per_second],
    )
    .map(({ id }) => id)
  const replayed = replayEvents(on, ids, at)
  const isDone = ids.length < row.per_second
  on.run(
    'UPDATE relay_replays SET replayed = replayed + ?, after_id = ?, next_at = max(next_at + 1000, ?), state = ?, ended_at = ? WHERE id = ?',
    [
      replayed,
      ids.at(-1) ?? row.after_id,
      at.getTime() - secondMs,
      isDone ? 'DONE' : 'RUNNING',
      isDone ? at.getTime() : null,
      row.id,
    ],
  )
  return replayed
}

function matching(on: SqliteStatements, appId: string, filter: ReplayFilter): { count: number; last: string | null } {
  const row = on.get<{ count: number; last: string | null }>(
    `SELECT count(*) AS count, max(id) AS last FROM relay_delivery_events WHERE ${matches(filter)}`,
    valuesOf(appId, filter),
  )
  return row ?? { count: 0, last: null }
}

/** The status as a literal, because an index of one status is not used for a parameter. */
function matches({ status }: ReplayFilter): string {
  return `app_id = ?1 AND status = '${status}' AND body IS NOT NULL AND kind <> 'lifecycle' AND (?2 IS NULL OR kind = ?2) AND (?3 IS NULL OR received_at >= ?3)
    AND (?4 IS NULL OR received_at <= ?4)`
}

function valuesOf(appId: string, { kind, from, to }: ReplayFilter): SqliteValue[] {
  return [appId, kind, from?.getTime() ?? null, to?.getTime() ?? null]
}
