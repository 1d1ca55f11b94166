import { expect, test } from 'vitest'
import { SqliteRelayAdapter } from '../../adapters/relay-sqlite.ts'
import { callbackOf, record, report, sampleReport } from '../../conformance/relay-stream-samples.ts'
import type { StreamView } from '../../core/stream/stream-storage.ts'
import { openSqliteDatabase, type SqliteValue } from './database.ts'
import { findStreamFloor, readStream } from './relay-streams.ts'
import { SqliteStatements } from './statements.ts'

class RecordingStatements extends SqliteStatements {
  readonly asked: { readonly sql: string; readonly values: SqliteValue[] }[] = []

  override all<Row>(sql: string, values: SqliteValue[]): Row[] {
    this.asked.push({ sql, values })
    return super.all<Row>(sql, values)
  }
}

const ofKey = /USING INDEX sqlite_autoindex_relay_delivery_events_2 \(app_id=\? AND kind=\? AND business_key=\?\)/
/** The page, whole. */
const ofId = /SEARCH w USING INDEX sqlite_autoindex_relay_delivery_events_1 \(id=\?\)/
const link =
  /USING (COVERING )?INDEX relay_delivery_events_link \(app_id=\? AND checkout_request_id=\? AND log_position<\?\)/

test.each<[string, StreamView | null, RegExp]>([
  [
    'all payments',
    { kind: 'source' },
    /relay_delivery_events_log \(app_id=\? AND log_position>\? AND log_position<\?\)/,
  ],
  ['a payment', { kind: 'payment', paymentId: 'pay_1' }, ofKey],
  ['a push', { kind: 'push', businessKey: 'ws_CO_1' }, ofKey],
  ['the floor', null, /relay_delivery_events_app \(app_id=\? AND id>\?\)/],
])('the stream of %s is searched along an index', async (_what, view, expected) => {
  const database = await openSqliteDatabase(':memory:')
  const storage = new SqliteRelayAdapter(database)
  await storage.migrate()
  await record(storage, callbackOf('app-1', 'ws_CO_1'))
  await report(storage, 'app-1', sampleReport('pay_1', { checkoutRequestId: 'ws_CO_1' }))
  const on = new RecordingStatements(database)
  if (view === null) findStreamFloor(on, 'app-1', new Date())
  else readStream(on, 'app-1', { view, after: 0, until: 9, limit: 9 })
  const plans = on.asked.map(({ sql, values }) =>
    database
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...values)
      .map(row => String(Reflect.get(row as object, 'detail'))),
  )
  const steps = plans.flat().filter(step => / (TABLE )?relay_|^SEARCH|^SCAN/.test(step))
  expect(steps.filter(step => /^SCAN (?!\(subquery|e$|found$|CONSTANT ROW)/.test(step))).toEqual([])
  const known = [expected, ofKey, ofId, link, /relay_logs USING INDEX/, /SEARCH \(subquery/]
  expect(steps.filter(step => step.startsWith('SEARCH') && !known.some(pattern => pattern.test(step)))).toEqual([])
  expect(steps).toContainEqual(expect.stringMatching(expected))
  if (view !== null && view.kind !== 'source') expect(steps).toContainEqual(expect.stringMatching(ofId))
  on.clear()
  await storage.close()
})
