import { describe, test } from 'vitest'
import { relayCases } from '../conformance/relay-cases.ts'
import { SqliteRelayAdapter } from './relay-sqlite.ts'

describe('SqliteRelayAdapter is a RelayStorage', () => {
  for (const { name, run } of relayCases) {
    test(name, async () => {
      const storage = await SqliteRelayAdapter.open(':memory:')
      await storage.migrate()
      await run(storage)
      await storage.close()
    })
  }
})
