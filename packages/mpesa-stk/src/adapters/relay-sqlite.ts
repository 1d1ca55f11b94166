import { dayOf, type LogEntry, type LogHead, type LogSlice } from '../core/deliver/event-log.ts'
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
import { longestPauseMs } from '../core/deliver/retry-schedule.ts'
import type { NewPaymentReport } from '../core/stream/payment-report.ts'
import type { Revocation, StreamEntry, StreamHead, StreamSlice } from '../core/stream/stream-storage.ts'
import {
  type AppRow,
  type AttemptRow,
  type EventRow,
  type ListedEventRow,
  type LogEntryRow,
  type LogRow,
  listedEventColumns,
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
import { openSqliteDatabase, type SqliteDatabase, type SqliteValue } from '../store/sqlite/database.ts'
import { migrateSqlite } from '../store/sqlite/migrate.ts'
import { claimDueEvents, finishDelivery, recordEvents } from '../store/sqlite/relay-events.ts'
import { findOverdueApps } from '../store/sqlite/relay-overdue.ts'
import {
  advanceReplays,
  countReplayable,
  endReplaysOf,
  replayEvents,
  startReplay,
} from '../store/sqlite/relay-replays.ts'
import { retain } from '../store/sqlite/relay-retention.ts'
import { relaySchema } from '../store/sqlite/relay-schema.ts'
import { findStreamFloor, readStream, reportPayments } from '../store/sqlite/relay-streams.ts'
import { SqliteStatements } from '../store/sqlite/statements.ts'
import { inTransaction } from '../store/sqlite/transaction.ts'

/** What the relay keeps, in one SQLite file that one process owns. A commit survives `kill -9`, and power loss likewise. */
export class SqliteRelayAdapter implements RelayStorage {
  /** One process owns the file. */
  readonly fanout = null
  readonly #database: SqliteDatabase
  readonly #on: SqliteStatements

  /** For a database that you opened yourself; `SqliteRelayAdapter.open` sets the durability that we promise. */
  constructor(database: SqliteDatabase) {
    this.#database = database
    this.#on = new SqliteStatements(database)
  }

  /**
   * Opens or creates a file (`:memory:` for none), for its owner's eyes only.
   *
   * @throws MpesaStkError `MPESA_STK_SQLITE_IN_USE` when another process has it, `MPESA_STK_SQLITE_DRIVER_MISSING`.
   */
  static async open(path: string): Promise<SqliteRelayAdapter> {
    return new SqliteRelayAdapter(await openSqliteDatabase(path))
  }

  async migrate(): Promise<void> {
    migrateSqlite(this.#database, relaySchema, new Date())
    // One process owns the file, and it has just begun: whoever held these is dead. And a clock that was ahead when they were
    // written has put them off for no longer than any pause is long.
    this.#on.run(
      `UPDATE relay_delivery_events SET lease_id = NULL, lease_until = NULL, due_at = min(due_at, ?)
       WHERE status IN ('PENDING', 'FAILED') AND (lease_until IS NOT NULL OR due_at > ?1)`,
      [Date.now() + longestPauseMs],
    )
    this.#on.run('UPDATE relay_replays SET next_at = min(next_at, ?)', [Date.now()])
  }

  async close(): Promise<void> {
    this.#on.clear()
    this.#database.close()
  }

  async keepSetting(name: string, value: string): Promise<string> {
    this.#on.run('INSERT INTO relay_settings VALUES (?, ?) ON CONFLICT DO NOTHING', [name, value])
    return (await this.findSetting(name)) ?? value
  }

  async findSetting(name: string): Promise<string | null> {
    return this.#on.get<{ value: string }>('SELECT value FROM relay_settings WHERE name = ?', [name])?.value ?? null
  }

  async createApp(app: RelayApp): Promise<void> {
    this.#on.run('INSERT INTO relay_apps VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)', valuesOf(app))
  }

  async findApp(appId: string): Promise<RelayApp | null> {
    const row = this.#on.get<AppRow>('SELECT * FROM relay_apps WHERE app_id = ?', [appId])
    return row === undefined ? null : toApp(row)
  }

  async findAppBySource(sourceId: string): Promise<RelayApp | null> {
    const row = this.#on.get<AppRow>('SELECT * FROM relay_apps WHERE source_id = ?', [sourceId])
    return row === undefined ? null : toApp(row)
  }

  async countApps(): Promise<number> {
    return this.#on.get<{ count: number }>('SELECT count(*) AS count FROM relay_apps', [])?.count ?? 0
  }

  async listApps(before: string | null, limit: number): Promise<readonly RelayApp[]> {
    return this.#on
      .all<AppRow>(
        `SELECT * FROM relay_apps WHERE ?1 IS NULL OR (created_at, app_id) < (SELECT created_at, app_id FROM relay_apps
           WHERE app_id = ?1) ORDER BY created_at DESC, app_id DESC LIMIT ?2`,
        [before, limit],
      )
      .map(toApp)
  }

  async listOperatorApps(): Promise<readonly RelayApp[]> {
    return this.#on.all<AppRow>("SELECT * FROM relay_apps WHERE receives = 'alerts' ORDER BY app_id", []).map(toApp)
  }

  async deleteApp(appId: string): Promise<boolean> {
    return inTransaction(this.#database, () => {
      endReplaysOf(this.#on, appId, new Date())
      this.#on.run('DELETE FROM relay_revocations WHERE app_id = ?', [appId])
      return this.#on.all('DELETE FROM relay_apps WHERE app_id = ? RETURNING app_id', [appId]).length > 0
    })
  }

  async saveApp(app: RelayApp): Promise<boolean> {
    const rows = this.#on.all(
      `UPDATE relay_apps SET source_id = ?2, target_url = ?3, sealed_secrets = ?4, is_disabled = ?5, disabled_reason = ?6,
         schedule_ms = ?7, c2b_fallback = ?8, daily_quota = ?9, created_at = ?10, version = ?11, receives = ?12,
         public_streams = ?13, allowed_origins = ?14
       WHERE app_id = ?1 AND version = ?11 - 1 RETURNING app_id`,
      valuesOf(app),
    )
    return rows.length > 0
  }

  async recordEvents(events: readonly NewRelayEvent[], lease: DeliveryLease): Promise<readonly RecordedEvent[]> {
    return inTransaction(this.#database, () => recordEvents(this.#on, events, lease))
  }

  async quarantine(bodies: readonly QuarantinedBody[]): Promise<void> {
    inTransaction(this.#database, () => {
      for (const { id, appId, budget, reason, detail, length, callbackToken, receivedAt, body } of bodies) {
        const values = [id, appId, budget, reason, detail, length, callbackToken, receivedAt.getTime(), body]
        this.#on.run('INSERT INTO relay_quarantine VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)', values)
      }
    })
  }

  async countQuarantined(budget: string, since: Date, rowBytes: number): Promise<number> {
    const row = this.#on.get<{ bytes: number }>(
      'SELECT coalesce(sum(min(length, 262144) + ?), 0) AS bytes FROM relay_quarantine WHERE budget = ? AND received_at > ?',
      [rowBytes, budget, since.getTime()],
    )
    return row?.bytes ?? 0
  }

  async countQuarantinedFrom(firstId: string, atMost: number): Promise<number> {
    const row = this.#on.get<{ count: number }>(
      'SELECT count(*) AS count FROM (SELECT 1 FROM relay_quarantine WHERE id >= ? LIMIT ?)',
      [firstId, atMost],
    )
    return row?.count ?? 0
  }

  async listQuarantine(before: string | null, limit: number): Promise<readonly QuarantinedHead[]> {
    return this.#on
      .all<QuarantineHeadRow>(
        `SELECT ${quarantineHeadColumns} FROM relay_quarantine WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT ?2`,
        [before, limit],
      )
      .map(toQuarantinedHead)
  }

  async findQuarantined(id: string): Promise<QuarantinedBody | null> {
    const row = this.#on.get<QuarantineRow>('SELECT * FROM relay_quarantine WHERE id = ?', [id])
    return row === undefined ? null : toQuarantined(row)
  }

  async deleteQuarantined(id: string): Promise<boolean> {
    return this.#on.all('DELETE FROM relay_quarantine WHERE id = ? RETURNING id', [id]).length > 0
  }

  async claimDueEvents(
    lease: DeliveryLease,
    limits: ClaimLimits,
    exceptApps: readonly string[],
  ): Promise<readonly LeasedEvent[]> {
    const rows = inTransaction(this.#database, () => claimDueEvents(this.#on, lease, limits, exceptApps))
    return rows.sort((a, b) => Number(a.due_at) - Number(b.due_at)).map(toLeasedEvent)
  }

  async findOverdueApps(before: Date, at: Date, limit: number): Promise<readonly OverdueApp[]> {
    return findOverdueApps(this.#on, before, at, limit).map(toOverdueApp)
  }

  async renewLeases(eventIds: readonly string[], { leaseId, leaseMs, at }: DeliveryLease): Promise<readonly string[]> {
    const now = at.getTime()
    return this.#on
      .all<{ id: string }>(
        `UPDATE relay_delivery_events SET lease_until = ?1 WHERE id IN (SELECT value FROM json_each(?2)) AND lease_id = ?3
           AND lease_until > ?4 RETURNING id`,
        [now + leaseMs, JSON.stringify(eventIds), leaseId, now],
      )
      .map(({ id }) => id)
  }

  async finishDeliveries(results: readonly DeliveryResult[], at: Date): Promise<void> {
    inTransaction(this.#database, () => {
      for (const result of results) finishDelivery(this.#on, result, at)
    })
  }

  async replayEvents(eventIds: readonly string[], at: Date): Promise<number> {
    return replayEvents(this.#on, eventIds, at)
  }

  async countReplayable(appId: string, filter: ReplayFilter): Promise<number> {
    return countReplayable(this.#on, appId, filter)
  }

  async startReplay(run: NewReplayRun, at: Date): Promise<ReplayRun> {
    return inTransaction(this.#database, () => startReplay(this.#on, run, at))
  }

  async advanceReplays(at: Date): Promise<number> {
    return inTransaction(this.#database, () => advanceReplays(this.#on, at))
  }

  async findReplay(id: string): Promise<ReplayRun | null> {
    const row = this.#on.get<ReplayRow>('SELECT * FROM relay_replays WHERE id = ?', [id])
    return row === undefined ? null : toReplay(row)
  }

  async listReplays(appId: string, limit: number): Promise<readonly ReplayRun[]> {
    return this.#on
      .all<ReplayRow>('SELECT * FROM relay_replays WHERE app_id = ? ORDER BY id DESC LIMIT ?', [appId, limit])
      .map(toReplay)
  }

  async cancelReplay(id: string, at: Date): Promise<void> {
    this.#on.run(`UPDATE relay_replays SET state = 'CANCELLED', ended_at = ? WHERE id = ? AND state = 'RUNNING'`, [
      at.getTime(),
      id,
    ])
  }

  async findEvent(id: string): Promise<{ readonly event: RelayEvent; readonly body: Uint8Array | null } | null> {
    const row = this.#on.get<EventRow>('SELECT * FROM relay_delivery_events WHERE id = ?', [id])
    return row === undefined ? null : { event: toRelayEvent(row), body: toBytes(row.body) }
  }

  async findEventOfPush(appId: string, checkoutRequestId: string): Promise<RelayEvent | null> {
    // It is the business key of its kind. `+id`: by the index of app and id, every event of the app would be read.
    const row = this.#on.get<EventRow>(
      `SELECT * FROM relay_delivery_events WHERE app_id = ? AND kind = 'stk' AND business_key = ? ORDER BY +id DESC LIMIT 1`,
      [appId, checkoutRequestId],
    )
    return row === undefined ? null : toRelayEvent(row)
  }

  async listEvents(appId: string, filter: EventFilter, limit: number): Promise<readonly RelayEvent[]> {
    const { status = null, kind = null, from, to, before = null } = filter
    return this.#on
      .all<ListedEventRow>(
        `SELECT ${listedEventColumns} FROM relay_delivery_events WHERE app_id = ?1 AND (?2 IS NULL OR status = ?2)
           AND (?3 IS NULL OR kind = ?3) AND (?4 IS NULL OR received_at >= ?4) AND (?5 IS NULL OR received_at <= ?5)
           AND (?6 IS NULL OR id < ?6) ORDER BY id DESC LIMIT ?7`,
        [appId, status, kind, from?.getTime() ?? null, to?.getTime() ?? null, before, limit],
      )
      .map(toRelayEvent)
  }

  async findLog(appId: string, at: Date): Promise<LogHead | null> {
    const row = this.#on.get<LogRow>(
      'SELECT epoch, head, CASE WHEN day = ? THEN events_of_day ELSE 0 END AS events_today FROM relay_logs WHERE app_id = ?',
      [dayOf(at), appId],
    )
    return row === undefined ? null : toLogHead(row)
  }

  async readLog(appId: string, { after, limit, withBodies }: LogSlice): Promise<readonly LogEntry[]> {
    return this.#on
      .all<LogEntryRow>(
        `SELECT ${logEntryColumns}, CASE WHEN ?4 THEN body END AS body FROM relay_delivery_events
         WHERE app_id = ?1 AND log_position > ?2 ORDER BY log_position LIMIT ?3`,
        [appId, after, limit, withBodies ? 1 : 0],
      )
      .map(toLogEntry)
  }

  async reportPayments(appId: string, reports: readonly NewPaymentReport[], epoch: string, at: Date): Promise<number> {
    return inTransaction(this.#database, () => reportPayments(this.#on, appId, reports, epoch, at))
  }

  async readStream(appId: string, slice: StreamSlice): Promise<readonly StreamEntry[]> {
    return readStream(this.#on, appId, slice)
  }

  async listStreamHeads(appIds: readonly string[], at: Date): Promise<ReadonlyMap<string, StreamHead>> {
    const rows = this.#on.all<StreamHeadRow>(
      `SELECT app_id, epoch, head, CASE WHEN day = ? THEN events_of_day ELSE 0 END AS events_today, floor, clears
       FROM relay_logs WHERE app_id IN (SELECT value FROM json_each(?))`,
      [dayOf(at), JSON.stringify(appIds)],
    )
    return new Map(rows.map(row => [row.app_id, toStreamHead(row)]))
  }

  async findStreamFloor(appId: string, since: Date): Promise<number> {
    return findStreamFloor(this.#on, appId, since)
  }

  async clearStream(appId: string): Promise<boolean> {
    const cleared = this.#on.all(
      'UPDATE relay_logs SET floor = head, clears = clears + 1 WHERE app_id = ? RETURNING app_id',
      [appId],
    )
    return cleared.length > 0
  }

  async revokeTokens(appId: string, { tokenId, subject, at, keepUntil }: Revocation): Promise<void> {
    inTransaction(this.#database, () => {
      this.#on.run('DELETE FROM relay_revocations WHERE app_id = ? AND keep_until <= ?', [appId, at.getTime()])
      const values = [appId, tokenId, subject, at.getTime(), keepUntil.getTime()]
      this.#on.run('INSERT INTO relay_revocations VALUES (?, ?, ?, ?, ?)', values)
    })
  }

  async listRevocations(appId: string, at: Date): Promise<readonly Revocation[]> {
    return this.#on
      .all<RevocationRow>('SELECT * FROM relay_revocations WHERE app_id = ? AND keep_until > ? ORDER BY at', [
        appId,
        at.getTime(),
      ])
      .map(toRevocation)
  }

  async listOverQuota(at: Date): Promise<readonly RelayApp[]> {
    return this.#on
      .all<AppRow>(
        `SELECT a.* FROM relay_apps a JOIN relay_logs l USING (app_id) WHERE l.day = ? AND l.events_of_day > a.daily_quota`,
        [dayOf(at)],
      )
      .map(toApp)
  }

  async listAttempts(eventId: string, limit: number): Promise<readonly DeliveryAttempt[]> {
    return this.#on
      .all<AttemptRow>(
        'SELECT * FROM relay_delivery_attempts WHERE event_id = ? ORDER BY number DESC, at DESC LIMIT ?',
        [eventId, limit],
      )
      .map(toAttempt)
      .reverse()
  }

  async countPending(): Promise<{ readonly pending: number; readonly oldestDueAt: Date | null }> {
    const row = this.#on.get<{ pending: number; oldest: number | null }>(
      `SELECT count(*) AS pending, min(due_at) AS oldest FROM relay_delivery_events
       WHERE status IN ('PENDING', 'FAILED')`,
      [],
    )
    const oldest = row?.oldest ?? null
    return { pending: row?.pending ?? 0, oldestDueAt: oldest === null ? null : new Date(oldest) }
  }

  async takeTurn(name: string, everyMs: number, at: Date): Promise<boolean> {
    // A turn that a clock ahead has taken is over as soon as one of ours.
    const rows = this.#on.all(
      `INSERT INTO relay_settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value
         WHERE abs(excluded.value - value) >= ? RETURNING name`,
      [name, String(at.getTime()), everyMs],
    )
    return rows.length > 0
  }

  async retain(kind: RetentionKind, olderThan: Date, after: string, limit: number): Promise<RetentionStep> {
    return inTransaction(this.#database, () => retain(this.#on, kind, olderThan, after, limit))
  }
}

function valuesOf(app: RelayApp): SqliteValue[] {
  return [
    app.appId,
    app.sourceId,
    app.targetUrl,
    app.sealedSecrets,
    app.isDisabled ? 1 : 0,
    app.disabledReason,
    app.scheduleMs === null ? null : JSON.stringify(app.scheduleMs),
    app.c2bFallback,
    app.dailyQuota,
    app.createdAt.getTime(),
    app.version,
    app.receives,
    app.publicStreams ? 1 : 0,
    app.allowedOrigins === null ? null : JSON.stringify(app.allowedOrigins),
  ]
}
