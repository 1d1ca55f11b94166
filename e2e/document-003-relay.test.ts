import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createRelayServer, PostgresRelayAdapter, recoverPendingDeliveries } from 'mpesa-stk/server'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { findCurl } from '../scripts/services/binaries.ts'
import { findServices } from '../scripts/services/find.ts'
import { paidBody } from './callback-bodies.ts'
import { readFixtures } from './relay/callback-fixtures.ts'
import { startRelay } from './relay/relay-process.ts'
import { openRelaySchema } from './relay/relay-schema.ts'

// The relay's part of a published description of this library: its commands work as they are printed, but for the address.

const { postgres } = await findServices()
const isThere = postgres !== undefined && findCurl() !== undefined
const run = promisify(execFile)

afterEach(() => vi.unstubAllEnvs())

/** The merchant's server, and the relay as `npx mpesa-stk-relay` runs it on PostgreSQL. */
async function runPrinted() {
  const schema = await openRelaySchema(postgres?.url ?? '')
  onTestFinished(() => schema[Symbol.asyncDispose]())
  const folder = mkdtempSync(join(tmpdir(), 'document-003-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  vi.resetModules()
  const { app, taken } = await import('./document-003/merchant.ts')
  const server = app.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const relay = await startRelay({ DATABASE_URL: schema.url(), PORT: '0', RELAY_DATA_DIR: folder })
  onTestFinished(() => relay.kill())
  const merchant = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { schema, taken, relay, merchant }
}

/** A printed command, with addresses and secrets of this machine in the place of the printed ones. */
async function sh(command: string, replacements: Readonly<Record<string, string>>): Promise<unknown> {
  const text = Object.entries(replacements).reduce((rest, [printed, real]) => rest.replaceAll(printed, real), command)
  const { stdout } = await run('sh', ['-c', text.replace('curl ', 'curl -sS ')])
  return JSON.parse(stdout)
}

type Created = { readonly appId: string; readonly signingSecret: string; readonly hookUrl: string }

const make = `curl -X POST https://your-relay-domain.com/apps \\
-H 'Content-Type: application/json' \\
-d '{ "targetUrl": "https://yourapp.com/mpesa/callback" }'`

const move = `curl -X PATCH https://your-relay-domain.com/apps/3f4a1c2d-... \\
-H 'Authorization: Bearer <signingSecret>' \\
-H 'Content-Type: application/json' \\
-d '{ "targetUrl": "https://newapp.com/mpesa/callback" }'`

const ask = `curl 'https://your-relay-domain.com/status/ws_CO_050420261030...?app_id=3f4a1c2d-...'`

// Skipped only where there is no PostgreSQL or no curl: npm run services -- install. REQUIRE_ALL=1 runs it in any case.
test.skipIf(!isThere && process.env['REQUIRE_ALL'] !== '1')(
  'an app is made, its callbacks are verified as printed, its target is moved, and its status asked, by the printed commands',
  { timeout: 60_000 },
  async () => {
    const { schema, taken, relay, merchant } = await runPrinted()
    const tables = await schema.pool.query(
      `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()
         AND table_name IN ('relay_apps', 'relay_delivery_events')`,
    )
    expect(tables.rows).toHaveLength(2)

    // The printed targets are of others: made with them, moved to the merchant before anything is delivered.
    const created = (await sh(make, { 'https://your-relay-domain.com': relay.url })) as Created
    const { appId, signingSecret, hookUrl } = created
    expect(created).toMatchObject({
      appId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      signingSecret: expect.stringMatching(/^[0-9a-f]{64}$/),
      hookUrl: `/hooks/${appId}`,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    })
    vi.stubEnv('MPESA_RELAY_SECRET', signingSecret)
    const places = { 'https://your-relay-domain.com': relay.url, '3f4a1c2d-...': appId }
    const moved = await sh(move, { ...places, '<signingSecret>': signingSecret, 'https://newapp.com': merchant })
    expect(moved).toMatchObject({ appId, targetUrl: `${merchant}/mpesa/callback` })

    const post = (body: string | Buffer): Promise<Response> => fetch(`${relay.url}${hookUrl}`, { method: 'POST', body })
    const answer = await post(JSON.stringify(paidBody('ws_CO_050420261030', 'UHH0AB12CD')))
    expect([answer.status, await answer.json()]).toEqual([200, { ResultCode: 0, ResultDesc: 'Success' }])
    const status = (): Promise<unknown> => sh(ask, { ...places, 'ws_CO_050420261030...': 'ws_CO_050420261030' })
    await expect.poll(status, { timeout: 20_000 }).toEqual({
      eventId: expect.any(String),
      checkoutRequestId: 'ws_CO_050420261030',
      status: 'DELIVERED',
      attemptCount: 1,
      deliveredAt: expect.stringMatching(/Z$/),
      lastError: null,
    })
    expect(taken).toEqual([paidBody('ws_CO_050420261030', 'UHH0AB12CD')])

    // As Safaricom wrote them: with 1.00, with escapes, in every kind.
    const fixtures = readFixtures()
    for (const { body } of fixtures) expect((await post(body)).status).toBe(200)
    const count = async (): Promise<number> => {
      const { rows } = await schema.pool.query(
        `SELECT count(*)::int AS n FROM relay_delivery_events WHERE status <> 'DELIVERED'`,
      )
      return (rows[0] as { n: number }).n
    }
    await expect.poll(count, { timeout: 30_000 }).toBe(0)
    expect(taken.length).toBeGreaterThan(fixtures.length / 2)
  },
)

test.skipIf(postgres === undefined)('the relay runs inside an app of one’s own as it is printed', async () => {
  await using schema = await openRelaySchema(postgres?.url ?? '')
  const folder = mkdtempSync(join(tmpdir(), 'document-003-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const { pool } = schema

  const storage = new PostgresRelayAdapter(pool)
  await storage.migrate()
  await recoverPendingDeliveries(storage)
  const relay = createRelayServer({ storage, dataFolder: folder })

  const answer = await relay.fetch(new Request('http://relay.example/livez'))
  expect(answer.status).toBe(200)
  // Only the operator makes apps, and without a socket of this machine nobody is.
  const headers = { 'content-type': 'application/json' }
  const body = '{ "targetUrl": "https://yourapp.com/mpesa/callback" }'
  const refused = await relay.fetch(new Request('http://relay.example/apps', { method: 'POST', headers, body }))
  expect(refused.status).toBe(401)
  await relay.stop()
})
