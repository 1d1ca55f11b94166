import type { LogEntry, LogHead, LogSlice } from '../core/deliver/event-log.ts'
import type { RelayApp } from '../core/deliver/relay-app.ts'
import type {
  DeliveryAttempt,
  DeliveryResult,
  LeasedEvent,
  NewRelayEvent,
  QuarantinedBody,
  QuarantinedHead,
  RelayEvent,
} from '../core/deliver/relay-event.ts'
import type {
  ClaimLimits,
  DeliveryLease,
  EventFilter,
  OverdueApp,
  RecordedEvent,
  RelayStorage,
} from '../core/deliver/relay-storage.ts'
import type { NewReplayRun, ReplayFilter, ReplayRun } from '../core/deliver/replay-run.ts'
import type { RetentionKind, RetentionStep } from '../core/deliver/retention.ts'
import { MpesaStkError } from '../core/errors.ts'
import type { NewPaymentReport } from '../core/stream/payment-report.ts'
import type { Revocation, StreamEntry, StreamFanout, StreamHead, StreamSlice } from '../core/stream/stream-storage.ts'
import { migratePostgres } from '../store/postgres/migrate.ts'
import { all, first, inTransaction, type PostgresPool, type Queryable, sqlState } from '../store/postgres/pool.ts'
import {
  type Copies,
  claimDueEvents,
  countCopies,
  finishDeliveries,
  listEvents,
  recordEvents,
  renewLeases,
} from '../store/postgres/relay-events.ts'
import { findOverdueApps } from '../store/postgres/relay-overdue.ts'
import { advanceReplays, findReplayable, replayEvents, startReplay } from '../store/postgres/relay-replays.ts'
import { retain } from '../store/postgres/relay-retention.ts'
import { relaySchema } from '../store/postgres/relay-schema.ts'
import { findStreamFloor, readStream, reportPayments } from '../store/postgres/relay-streams.ts'
import { PostgresStreamFanout } from '../store/postgres/stream-fanout.ts'
import {
  type AppRow,
  type AttemptRow,
  type EventRow,
  type LogEntryRow,
  type LogRow,
  logEntryColumns,
  type QuarantineHeadRow,
  type QuarantineRow,
  quarantineHeadColumns,
  type ReplayRow,
  type RevocationRow,
  type StreamHeadRow,
  toApp,
  toAttempt,
  toBytes,
  toLeasedEvent,
  toLogEntry,
  toLogHead,
  toOverdueApp,
  toQuarantined,
  toQuarantinedHead,
  toRelayEvent,
  toReplay,
  toRevocation,
  toStreamHead,
} from '../store/relay-rows.ts'

/**
 * What the relay keeps, in PostgreSQL 14 or later, shared by as many relays as you like. A commit survives `kill -9`, and
 * power loss with the server's default `fsync` and `synchronous_commit` on a disk that honours flush.
 */
export class PostgresRelayAdapter implements RelayStorage {
  readonly fanout: StreamFanout
  readonly #pool: PostgresPool
  readonly #uncounted: Copies[] = []
  #isCounting = false

  /** @param pool a Pool of `pg`, which stays yours: `close()` does not end it. */
  constructor(pool: PostgresPool) {
    this.#pool = pool
    this.fanout = new PostgresStreamFanout(pool)
  }

  async migrate(): Promise<void> {
    await migratePostgres(this.#pool, relaySchema)
  }

  async close(): Promise<void> {}

  async keepSetting(name: string, value: string): Promise<string> {
    await this.#all('INSERT INTO relay_settings VALUES ($1, $2) ON CONFLICT DO NOTHING', [name, value])
    return (await this.findSetting(name)) ?? value
  }

  async findSetting(name: string): Promise<string | null> {
    const [row] = await this.#all<{ value: string }>('SELECT value FROM relay_settings WHERE name = $1', [name])
    return row?.value ?? null
  }

  async createApp(app: RelayApp): Promise<void> {
    await this.#all(
      'INSERT INTO relay_apps VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)',
      valuesOf(app),
    )
  }

  async findApp(appId: string): Promise<RelayApp | null> {
    const [row] = await this.#all<AppRow>('SELECT * FROM relay_apps WHERE app_id = $1', [appId])
    return row === undefined ? null : toApp(row)
  }

  async findAppBySource(sourceId: string): Promise<RelayApp | null> {
    const [row] = await this.#all<AppRow>('SELECT * FROM relay_apps WHERE source_id = $1', [sourceId])
    return row === undefined ? null : toApp(row)
  }

  async countApps(): Promise<number> {
    const [row] = await this.#all<{ count: number }>('SELECT count(*)::int AS count FROM relay_apps')
    return row?.count ?? 0
  }

  async listApps(before: string | null, limit: number): Promise<readonly RelayApp[]> {
    const rows = await this.#all<AppRow>(
      `SELECT * FROM relay_apps WHERE $1::text IS NULL OR (created_at, app_id) < (SELECT created_at, app_id FROM relay_apps
         WHERE app_id = $1) ORDER BY created_at DESC, app_id DESC LIMIT $2`,
      [before, limit],
    )
    return rows.map(toApp)
  }

  async listOperatorApps(): Promise<readonly RelayApp[]> {
    const rows = await this.#all<AppRow>("SELECT * FROM relay_apps WHERE receives = 'alerts' ORDER BY app_id")
    return rows.map(toApp)
  }

  async deleteApp(appId: string): Promise<boolean> {
    const rows = await this.#all(
      `WITH ended AS (UPDATE relay_replays SET state = 'CANCELLED', ended_at = clock_timestamp()
         WHERE app_id = $1 AND state = 'RUNNING'),
         revocations AS (DELETE FROM relay_revocations WHERE app_id = $1)
       DELETE FROM relay_apps WHERE app_id = $1 RETURNING app_id`,
      [appId],
    )
    return rows.length > 0
  }

  async saveApp(app: RelayApp): Promise<boolean> {
    const rows = await this.#all(
      `UPDATE relay_apps SET source_id = $2, target_url = $3, sealed_secrets = $4, is_disabled = $5, disabled_reason = $6,
         schedule_ms = $7, c2b_fallback = $8, daily_quota = $9, created_at = $10, version = $11, receives = $12,
         public_streams = $13, allowed_origins = $14
       WHERE app_id = $1 AND version = $11 - 1 RETURNING app_id`,
      valuesOf(app),
    )
    return rows.length > 0
  }

  async recordEvents(events: readonly NewRelayEvent[], lease: DeliveryLease): Promise<readonly RecordedEvent[]> {
    // One statement is one transaction: two round trips less than BEGIN and COMMIT around it.
    const outcomes = await this.#told(() => recordEvents(this.#pool, events, lease))
    const repeats = events.filter((_event, index) => outcomes[index]?.outcome === 'repeat')
    // A copy that is not counted is nothing lost: nobody waits for it, whoever holds the row that it is counted in.
    if (repeats.length > 0) void this.#count(repeats)
    return outcomes
  }

  async quarantine(bodies: readonly QuarantinedBody[]): Promise<void> {
    await this.#all(
      `INSERT INTO relay_quarantine SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],
         $6::int[], $7::text[], $8::timestamptz[], $9::bytea[])`,
      [
        bodies.map(({ id }) => id),
        bodies.map(({ appId }) => appId),
        bodies.map(({ budget }) => budget),
        bodies.map(({ reason }) => reason),
        bodies.map(({ detail }) => detail),
        bodies.map(({ length }) => length),
        bodies.map(({ callbackToken }) => callbackToken),
        bodies.map(({ receivedAt }) => receivedAt),
        bodies.map(({ body }) => Buffer.from(body)),
      ],
    )
  }

  async countQuarantined(budget: string, since: Date, rowBytes: number): Promise<number> {
    const [row] = await this.#all<{ bytes: number }>(
      `SELECT coalesce(sum(least(length, 262144) + $3), 0)::float8 AS bytes FROM relay_quarantine
       WHERE budget = $1 AND received_at > $2`,
      [budget, since, rowBytes],
    )
    return row?.bytes ?? 0
  }

  async countQuarantinedFrom(firstId: string, atMost: number): Promise<number> {
    const [row] = await this.#all<{ count: number }>(
      // Ordered, or the planner reads the whole table for the few that are at its end.
      'SELECT count(*)::int AS count FROM (SELECT 1 FROM relay_quarantine WHERE id >= $1 ORDER BY id DESC LIMIT $2) found',
      [firstId, atMost],
    )
    return row?.count ?? 0
  }

  async listQuarantine(before: string | null, limit: number): Promise<readonly QuarantinedHead[]> {
    const rows = await this.#all<QuarantineHeadRow>(
      `SELECT ${quarantineHeadColumns} FROM relay_quarantine WHERE $1::text IS NULL OR id < $1 ORDER BY id DESC LIMIT $2`,
      [before, limit],
    )
    return rows.map(toQuarantinedHead)
  }

  async findQuarantined(id: string): Promise<QuarantinedBody | null> {
    const [row] = await this.#all<QuarantineRow>('SELECT * FROM relay_quarantine WHERE id = $1', [id])
    return row === undefined ? null : toQuarantined(row)
  }

  async deleteQuarantined(id: string): Promise<boolean> {
    return (await this.#all('DELETE FROM relay_quarantine WHERE id = $1 RETURNING id', [id])).length > 0
  }

  async claimDueEvents(
    lease: DeliveryLease,
    limits: ClaimLimits,
    exceptApps: readonly string[],
  ): Promise<readonly LeasedEvent[]> {
    const rows = await this.#told(() => claimDueEvents(this.#pool, lease, limits, exceptApps))
    return rows.toSorted((a, b) => Number(a.due_at) - Number(b.due_at)).map(toLeasedEvent)
  }

  async findOverdueApps(before: Date, _at: Date, limit: number): Promise<readonly OverdueApp[]> {
    return (await this.#told(() => findOverdueApps(this.#pool, before, limit))).map(toOverdueApp)
  }

  async renewLeases(eventIds: readonly string[], lease: DeliveryLease): Promise<readonly string[]> {
    return this.#told(() => renewLeases(this.#pool, eventIds, lease))
  }

  async finishDeliveries(results: readonly DeliveryResult[]): Promise<void> {
    await this.#told(() => finishDeliveries(this.#pool, results))
  }

  async replayEvents(eventIds: readonly string[]): Promise<number> {
    return this.#told(() => replayEvents(this.#pool, eventIds))
  }

  async countReplayable(appId: string, filter: ReplayFilter): Promise<number> {
    return (await this.#told(() => findReplayable(this.#pool, appId, filter))).count
  }

  async startReplay(run: NewReplayRun): Promise<ReplayRun> {
    return this.#told(() => inTransaction(this.#pool, client => startReplay(client, run)))
  }

  async advanceReplays(): Promise<number> {
    return this.#told(() => inTransaction(this.#pool, advanceReplays))
  }

  async findReplay(id: string): Promise<ReplayRun | null> {
    const [row] = await this.#all<ReplayRow>('SELECT * FROM relay_replays WHERE id = $1', [id])
    return row === undefined ? null : toReplay(row)
  }

  async listReplays(appId: string, limit: number): Promise<readonly ReplayRun[]> {
    const rows = await this.#all<ReplayRow>('SELECT * FROM relay_replays WHERE app_id = $1 ORDER BY id DESC LIMIT $2', [
      appId,
      limit,
    ])
    return rows.map(toReplay)
  }

  async cancelReplay(id: string): Promise<void> {
    await this.#all(
      `UPDATE relay_replays SET state = 'CANCELLED', ended_at = clock_timestamp() WHERE id = $1 AND state = 'RUNNING'`,
      [id],
    )
  }

  async findEvent(id: string): Promise<{ readonly event: RelayEvent; readonly body: Uint8Array | null } | null> {
    const [row] = await this.#all<EventRow>('SELECT * FROM relay_delivery_events WHERE id = $1', [id])
    return row === undefined ? null : { event: toRelayEvent(row), body: toBytes(row.body) }
  }

  async findEventOfPush(appId: string, checkoutRequestId: string): Promise<RelayEvent | null> {
    // It is the business key of its kind. OFFSET 0 keeps the planner from the index of the app's ids, which has them all.
    const [row] = await this.#all<EventRow>(
      `SELECT * FROM (SELECT * FROM relay_delivery_events WHERE app_id = $1 AND kind = 'stk' AND business_key = $2 OFFSET 0) found
       ORDER BY id DESC LIMIT 1`,
      [appId, checkoutRequestId],
    )
    return row === undefined ? null : toRelayEvent(row)
  }

  async listEvents(appId: string, filter: EventFilter, limit: number): Promise<readonly RelayEvent[]> {
    return (await this.#told(() => listEvents(this.#pool, appId, filter, limit))).map(toRelayEvent)
  }

  async findLog(appId: string): Promise<LogHead | null> {
    const [row] = await this.#all<LogRow>(
      'SELECT epoch, head, CASE WHEN day = relay_today() THEN events_of_day ELSE 0 END AS events_today FROM relay_logs WHERE app_id = $1',
      [appId],
    )
    return row === undefined ? null : toLogHead(row)
  }

  async readLog(appId: string, { after, limit, withBodies }: LogSlice): Promise<readonly LogEntry[]> {
    const rows = await this.#all<LogEntryRow>(
      `SELECT ${logEntryColumns}, CASE WHEN $4 THEN body END AS body FROM relay_delivery_events
       WHERE app_id = $1 AND log_position > $2 ORDER BY log_position LIMIT $3`,
      [appId, after, limit, withBodies],
    )
    return rows.map(toLogEntry)
  }

  async reportPayments(appId: string, reports: readonly NewPaymentReport[], epoch: string): Promise<number> {
    return this.#told(() => reportPayments(this.#pool, appId, reports, epoch))
  }

  async readStream(appId: string, slice: StreamSlice): Promise<readonly StreamEntry[]> {
    return this.#told(() => readStream(this.#pool, appId, slice))
  }

  async listStreamHeads(appIds: readonly string[]): Promise<ReadonlyMap<string, StreamHead>> {
    const rows = await this.#all<StreamHeadRow>(
      `SELECT app_id, epoch, head, CASE WHEN day = relay_today() THEN events_of_day ELSE 0 END AS events_today, floor, clears
       FROM relay_logs WHERE app_id = ANY ($1)`,
      [appIds],
    )
    return new Map(rows.map(row => [row.app_id, toStreamHead(row)]))
  }

  async findStreamFloor(appId: string, since: Date): Promise<number> {
    return this.#told(() => findStreamFloor(this.#pool, appId, since))
  }

  async clearStream(appId: string): Promise<boolean> {
    const rows = await this.#all(
      'UPDATE relay_logs SET floor = head, clears = clears + 1 WHERE app_id = $1 RETURNING app_id',
      [appId],
    )
    return rows.length > 0
  }

  async revokeTokens(appId: string, { tokenId, subject, at, keepUntil }: Revocation): Promise<void> {
    await this.#all(
      `WITH over AS (DELETE FROM relay_revocations WHERE app_id = $1 AND keep_until <= $4)
       INSERT INTO relay_revocations VALUES ($1, $2, $3, $4, $5)`,
      [appId, tokenId, subject, at, keepUntil],
    )
  }

  async listRevocations(appId: string, at: Date): Promise<readonly Revocation[]> {
    const rows = await this.#all<RevocationRow>(
      'SELECT * FROM relay_revocations WHERE app_id = $1 AND keep_until > $2 ORDER BY at',
      [appId, at],
    )
    return rows.map(toRevocation)
  }

  async listOverQuota(): Promise<readonly RelayApp[]> {
    const rows = await this.#all<AppRow>(
      'SELECT a.* FROM relay_apps a JOIN relay_logs l USING (app_id) WHERE l.day = relay_today() AND l.events_of_day > a.daily_quota',
    )
    return rows.map(toApp)
  }

  async listAttempts(eventId: string, limit: number): Promise<readonly DeliveryAttempt[]> {
    const rows = await this.#all<AttemptRow>(
      'SELECT * FROM relay_delivery_attempts WHERE event_id = $1 ORDER BY number DESC, at DESC LIMIT $2',
      [eventId, limit],
    )
    return rows.map(toAttempt).reverse()
  }

  async countPending(): Promise<{ readonly pending: number; readonly oldestDueAt: Date | null }> {
    const row = await this.#told(() =>
      first<{ pending: number; oldest: Date | null }>(
        this.#pool,
        `SELECT count(*)::int AS pending, min(due_at) AS oldest FROM relay_delivery_events
         WHERE status IN ('PENDING', 'FAILED')`,
      ),
    )
    return { pending: row?.pending ?? 0, oldestDueAt: row?.oldest ?? null }
  }

  async takeTurn(name: string, everyMs: number): Promise<boolean> {
    // A turn that a clock ahead has taken is over as soon as one of ours.
    const rows = await this.#all(
      `INSERT INTO relay_settings AS s SELECT $1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint::text
       ON CONFLICT (name) DO UPDATE SET value = excluded.value
         WHERE abs(excluded.value::bigint - s.value::bigint) >= $2 RETURNING name`,
      [name, everyMs],
    )
    return rows.length > 0
  }

  async retain(kind: RetentionKind, olderThan: Date, after: string, limit: number): Promise<RetentionStep> {
    return this.#told(() => retain(this.#pool, kind, olderThan, after, limit))
  }

  /** One connection at a time: whoever holds a row that is counted in must not take the pool from those who store. */
  async #count(repeats: readonly NewRelayEvent[]): Promise<void> {
    if (this.#uncounted.length < maxUncounted) this.#uncounted.push(...repeats.map(toCopies))
    if (this.#isCounting) return
    this.#isCounting = true
    while (this.#uncounted.length > 0) {
      await countCopies(this.#pool, this.#uncounted.splice(0, maxCountedAtOnce)).catch(() => undefined)
    }
    this.#isCounting = false
  }

  async #all<Row>(text: string, values: unknown[] = []): Promise<readonly Row[]> {
    return this.#told(() => all<Row>(this.#pool as Queryable, text, values))
  }

  async #told<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (cause) {
      if (!absences.has(sqlState(cause)) || !/relay_/.test(String(cause))) throw cause
      throw new MpesaStkError(
        'MPESA_STK_STORE_NOT_MIGRATED',
        'the database has no tables of the relay yet; call `await storage.migrate()` once at every start',
        { cause },
      )
    }
  }
}

const maxUncounted = 10_000
const maxCountedAtOnce = 256

/** There is no such table, or function. */
const absences: ReadonlySet<unknown> = new Set(['42P01', '42883'])

/** Without the body, of which thousands may wait. */
function toCopies({ appId, kind, businessKey, result, copies }: NewRelayEvent): Copies {
  return { appId, kind, businessKey, result, copies }
}

function valuesOf(app: RelayApp): unknown[] {
  return [
    app.appId,
    app.sourceId,
    app.targetUrl,
    Buffer.from(app.sealedSecrets),
    app.isDisabled ? 1 : 0,
    app.disabledReason,
    app.scheduleMs === null ? null : JSON.stringify(app.scheduleMs),
    app.c2bFallback,
    app.dailyQuota,
    app.createdAt,
    app.version,
    app.receives,
    app.publicStreams ? 1 : 0,
    app.allowedOrigins === null ? null : JSON.stringify(app.allowedOrigins),
  ]
}
