import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { logBeginning } from '../core/deliver/event-log.ts'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import { LogReader } from './log-reader.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const emptyLog = { findLog: async () => null, readLog: async () => [] } as unknown as RelayStorage

function heldBytes(): number {
  collect()
  return process.memoryUsage().heapUsed
}

test('whoever follows an app of which nothing comes leaves nothing behind', async () => {
  const reader = new LogReader(emptyLog, () => new Date())
  const waits = 20_000
  const follow = async (): Promise<void> => {
    for (let round = 0; round < waits / 500; round++) {
      const request = () => ({ limit: 1, withBodies: false, waitMs: 30, signal: new AbortController().signal })
      await Promise.all(Array.from({ length: 500 }, () => reader.read('app', logBeginning, request())))
    }
  }
  await follow()
  const before = heldBytes()
  await follow()
  // What is kept of each was some 1,700 bytes: of one who follows an idle app, 150 MB a day.
  expect((heldBytes() - before) / waits).toBeLessThan(200)
})
