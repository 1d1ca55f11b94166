import type { RetentionKind, RetentionStep } from '../../core/deliver/retention.ts'
import { firstIdOf } from '../../core/time-ordered-id.ts'
import { isSettled } from '../settled-event.ts'
import type { SqliteValue } from './database.ts'
import type { SqliteStatements } from './statements.ts'

type Seen = { readonly place: string; readonly row: number; readonly is_old: number }
type Walk = { readonly look: string; readonly remove: readonly string[] }

const events = (isOld: string): string =>
  `SELECT e.id AS place, e.rowid AS row, ${isOld} AS is_old FROM relay_delivery_events e
   WHERE e.id > ?1 AND e.id < ?3 ORDER BY e.id LIMIT ?5`
const rows = '(SELECT value FROM json_each(?1))'

/** How each kind is walked along its ids, which are in the order of time, and what is done with what is old. */
export const walks: Readonly<Record<RetentionKind, Walk>> = {
  delivered: {
    look: events(`e.delivered_at < ?4 AND ${isSettled}`),
    remove: [
      `DELETE FROM relay_delivery_attempts WHERE event_id IN (SELECT id FROM relay_delivery_events WHERE rowid IN ${rows})`,
      `DELETE FROM relay_delivery_events WHERE rowid IN ${rows}`,
    ],
  },
  bodies: {
    look: events(`e.body IS NOT NULL AND e.delivered_at < ?4 AND ${isSettled}`),
    remove: [`UPDATE relay_delivery_events SET body = NULL WHERE rowid IN ${rows}`],
  },
  attempts: {
    look: `SELECT a.event_id || ' ' || a.number AS place, a.rowid AS row, a.at < ?4 AND NOT EXISTS (
         SELECT 1 FROM relay_delivery_events e WHERE e.id = a.event_id AND NOT (${isSettled})) AS is_old
       FROM relay_delivery_attempts a WHERE (a.event_id, a.number) > (?1, ?2) AND a.event_id < ?3
       ORDER BY a.event_id, a.number LIMIT ?5`,
    remove: [`DELETE FROM relay_delivery_attempts WHERE rowid IN ${rows}`],
  },
  quarantine: {
    look: `SELECT id AS place, rowid AS row, received_at < ?4 AS is_old FROM relay_quarantine
       WHERE id > ?1 AND id < ?3 ORDER BY id LIMIT ?5`,
    remove: [`DELETE FROM relay_quarantine WHERE rowid IN ${rows}`],
  },
}

export function valuesOf(olderThan: Date, after: string, limit: number): SqliteValue[] {
  const [eventId = '', number = '0'] = after.split(' ')
  return [eventId, Number(number), firstIdOf(olderThan), olderThan.getTime(), limit]
}

export function retain(
  on: SqliteStatements,
  kind: RetentionKind,
  olderThan: Date,
  after: string,
  limit: number,
): RetentionStep {
  const { look, remove } = walks[kind]
  const seen = on.all<Seen>(look, valuesOf(olderThan, after, limit))
  const old = seen.filter(({ is_old }) => is_old === 1).map(({ row }) => row)
  if (old.length > 0) for (const statement of remove) on.run(statement, [JSON.stringify(old)])
  return { removed: old.length, after: seen.at(-1)?.place ?? after, isDone: seen.length < limit }
}
