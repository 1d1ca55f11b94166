import { describe, test } from 'vitest'
import { relayStorageConformance } from '../conformance/relay-conformance.ts'
import { SqliteRelayAdapter } from './relay-sqlite.ts'

async function open(): Promise<SqliteRelayAdapter> {
  const storage = await SqliteRelayAdapter.open(':memory:')
  await storage.migrate()
  return storage
}

describe('SqliteRelayAdapter is a RelayStorage', () => {
  for (const { name, run } of relayStorageConformance({ open })) test(name, run)
})
