import type { NewReplayRun, ReplayFilter, ReplayRun } from '../../core/deliver/replay-run.ts'
import { filterOf, type ReplayRow } from '../relay-rows.ts'
import { all, first, type Queryable } from './pool.ts'

/** A lease that has not run out stays in the way of the next attempt, and counts for nothing more. */
export async function replayEvents(on: Queryable, eventIds: readonly string[]): Promise<number> {
  const rows = await all(
    on,
    `UPDATE relay_delivery_events SET status = 'PENDING', failures = 0, due_at = clock_timestamp(), lease_id = NULL
     WHERE id IN (SELECT id FROM relay_delivery_events WHERE id = ANY ($1) AND body IS NOT NULL
       AND kind <> 'lifecycle' ORDER BY id FOR UPDATE) RETURNING id`,
    [eventIds],
  )
  return rows.length
}

/** How many match now, and the last of them. */
export async function findReplayable(
  on: Queryable,
  appId: string,
  filter: ReplayFilter,
): Promise<{ readonly count: number; readonly last: string }> {
  const row = await first<{ count: number; last: string | null }>(
    on,
    `SELECT count(*)::int AS count, max(id) AS last FROM relay_delivery_events WHERE ${matches}`,
    valuesOf(appId, filter),
  )
  return { count: row?.count ?? 0, last: row?.last ?? '' }
}

export async function startReplay(on: Queryable, run: NewReplayRun): Promise<ReplayRun> {
  const { id, appId, filter, perSecond, createdAt } = run
  const { count, last } = await findReplayable(on, appId, filter)
  await all(
    on,
    `INSERT INTO relay_replays VALUES ($1, $2, $3, $4, $5, $6, $7, 'RUNNING', $8, 0, '', $9, clock_timestamp(), $10, NULL)`,
    [id, appId, filter.status, filter.kind, filter.from, filter.to, perSecond, count, last, createdAt],
  )
  return { ...run, state: 'RUNNING', matched: count, replayed: 0, endedAt: null }
}

/** Each replay by one relay at a time: whoever comes second finds it locked, or its next second not come yet. */
export async function advanceReplays(on: Queryable): Promise<number> {
  const due = await all<ReplayRow>(
    on,
    `SELECT * FROM relay_replays WHERE state = 'RUNNING' AND next_at <= statement_timestamp() ORDER BY id FOR UPDATE SKIP LOCKED`,
  )
  let sum = 0
  for (const row of due) sum += await advanceReplay(on, row)
  return sum
}

async function advanceReplay(on: Queryable, row: ReplayRow): Promise<number> {
  const found = await all<{ id: string }>(
    on,
    `SELECT id FROM relay_delivery_events WHERE ${matches} AND id > $6 AND id <= $7 ORDER BY id LIMIT $8`,
    [...valuesOf(row.app_id, filterOf(row)), row.after_id, row.until_id, row.per_second],
  )
  const ids = found.map(({ id }) => id)
  const replayed = await replayEvents(on, ids)
  const isDone = ids.length < row.per_second
  await all(
    on,
    `UPDATE relay_replays SET replayed = replayed + $2, after_id = $3, next_at = greatest(next_at + interval '1 second', clock_timestamp() - interval '1 second'),
       state = $4, ended_at = CASE WHEN $4 = 'DONE' THEN clock_timestamp() END WHERE id = $1`,
    [row.id, replayed, ids.at(-1) ?? row.after_id, isDone ? 'DONE' : 'RUNNING'],
  )
  return replayed
}

const matches = `app_id = $1 AND status = $2 AND body IS NOT NULL AND kind <> 'lifecycle' AND ($3::text IS NULL OR kind = $3)
  AND ($4::timestamptz IS NULL OR received_at >= $4) AND ($5::timestamptz IS NULL OR received_at <= $5)`

function valuesOf(appId: string, { status, kind, from, to }: ReplayFilter): unknown[] {
  return [appId, status, kind, from, to]
}
