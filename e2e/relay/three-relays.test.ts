import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findServices } from '../../scripts/services/find.ts'
import { paidBody } from '../callback-bodies.ts'
import { openSink } from './relay-floor.ts'
import { startRelay } from './relay-process.ts'
import { openRelaySchema } from './relay-schema.ts'

const { postgres } = await findServices()
const callbacks = 1_500
const key = 'a key that all three relays share'

// Skipped only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
describe.skipIf(postgres === undefined)('three relays on one database', () => {
  test('share the work, take over what a dead one held, and never run two attempts of an event at once', async () => {
    if (postgres === undefined) return
    const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-three-'))
    await using schema = await openRelaySchema(postgres.url)
    await using sink = await openSink()
    const underWay = new Set<string>()
    const overlaps: string[] = []
    let failures = 0
    sink.answer((_request, response, { headers }) => {
      const id = headers['x-mpesa-event-id'] ?? ''
      if (underWay.has(id)) overlaps.push(id)
      underWay.add(id)
      // Some fail once, so that retries come from the store and not from memory.
      const status = failures < callbacks / 3 && failures++ % 2 === 0 ? 500 : 200
      setImmediate(() => {
        underWay.delete(id)
        response.writeHead(status).end()
      })
    })
    const start = (name: string) =>
      startRelay({
        DATABASE_URL: schema.url(),
        PORT: '0',
        RELAY_DATA_DIR: join(folder, name),
        RELAY_ENCRYPTION_KEY: key,
        LOG_LEVEL: 'silent',
      })
    const relays = await Promise.all(['a', 'b', 'c'].map(start))
    const created = await fetch(`${relays[0]?.url}/apps`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ targetUrl: sink.url, scheduleMs: Array(50).fill(300) }),
    })
    const { appId, hookUrl } = (await created.json()) as { appId: string; hookUrl: string }
    const acknowledged = new Set<string>()
    let next = 0
    async function postOnAndOn(): Promise<void> {
      for (let number = next++; number < callbacks; number = next++) {
        if (number === Math.floor(callbacks / 2)) void relays[2]?.kill()
        const id = `ws_CO_${number}`
        try {
          const { url } = relays[number % 3] ?? { url: '' }
          const body = JSON.stringify(paidBody(id, 'UHH0AB12CD'))
          const response = await fetch(`${url}${hookUrl}`, { method: 'POST', body })
          await response.arrayBuffer()
          if (response.status === 200) acknowledged.add(id)
        } catch {
          // The dead one promised nothing.
        }
      }
    }
    await Promise.all(Array.from({ length: 16 }, postOnAndOn))
    // What the dead one held is due again when its leases are over, for which no test waits. Nobody else's is touched.
    await schema.pool.query(
      `UPDATE relay_delivery_events SET lease_until = clock_timestamp() WHERE status = 'PENDING' AND attempt_count = 0
         AND received_at < clock_timestamp() - interval '12 seconds'`,
    )
    const delivered = async (): Promise<number> =>
      callbacks - (await schema.storage.listEvents(appId, { status: 'DELIVERED' }, callbacks)).length
    const stored = (await schema.storage.listEvents(appId, {}, callbacks)).length
    expect(acknowledged.size).toBeGreaterThan(callbacks / 2)
    expect(stored).toBeGreaterThanOrEqual(acknowledged.size)
    await expect.poll(delivered, { timeout: 100_000, interval: 1_000 }).toBe(callbacks - stored)
    expect(overlaps).toEqual([])
    for (const relay of relays.slice(0, 2)) expect(await relay.stop()).toBe(0)
    rmSync(folder, { recursive: true, force: true })
  }, 180_000)
})
