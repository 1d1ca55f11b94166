import { describe, test } from 'vitest'
import { storeConformance } from '../testing.ts'
import { MemoryAdapter } from './memory.ts'

describe('MemoryAdapter is a Store', () => {
  for (const { name, run } of storeConformance({ open: async () => new MemoryAdapter() })) test(name, run)
})
