import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { SqliteRelayAdapter } from '../adapters/relay-sqlite.ts'
import { createRelayServer } from './relay-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'relay-server-'))
const storage = await SqliteRelayAdapter.open(join(folder, 'relay.db'))
afterAll(async () => {
  await storage.close()
  rmSync(folder, { recursive: true })
})

const create = (options: object) => createRelayServer({ storage, dataFolder: folder, workers: 'manual', ...options })

test.each(['bodiesDays', 'deliveredDays'] as const)('what %s removes is not promised to streams', kind => {
  expect(() => create({ streamHours: 48, retention: { [kind]: 1 } })).toThrow(
    expect.objectContaining({
      code: 'MPESA_STK_CONFIG_INVALID',
      message: expect.stringContaining(`set streamHours to 24 at most, or ${kind} to 2 at least`),
    }),
  )
  for (const days of [2, null]) expect(() => create({ streamHours: 48, retention: { [kind]: days } })).not.toThrow()
})
