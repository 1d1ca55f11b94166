import { expect, test } from 'vitest'
import { StreamTokens, type TokenWish } from './stream-tokens.ts'

const openTokens = () => new StreamTokens('a'.repeat(64), () => new Date(0))

const wishOf = (checkoutRequestIds: readonly string[]): TokenWish => ({
  sourceId: 'source-1234567890123456',
  streams: [],
  checkoutRequestIds,
  actions: ['read'],
  subject: null,
  ttlSeconds: 600,
})

const twenty = (write: (n: string) => string) =>
  Array.from({ length: 20 }, (_, index) => write(String(index).padStart(2, '0')))

test('a token for as many pushes as may be named is one that is taken', async () => {
  const tokens = openTokens()
  const ids = twenty(n => `ws_CO_1912201910203639257083741${n}`)
  const minted = await tokens.mint(wishOf([...ids, ...ids]), 'token-1')
  if (minted.outcome !== 'minted') throw new Error('too long')
  const read = await tokens.read(minted.token)
  if (read.outcome !== 'good') throw new Error(read.outcome)
  expect(read.claims.streams).toEqual(minted.streams)
  expect(read.claims.pushes).toEqual(Object.fromEntries(minted.streams.map((stream, index) => [stream, ids[index]])))
  expect(Object.keys(read.claims.pushes)).toHaveLength(20)
})

test('one that no frame would take is not given out', async () => {
  const minted = await openTokens().mint(wishOf(twenty(n => n.padStart(128, 'x'))), 'token-1')
  expect(minted).toEqual({ outcome: 'too-long' })
})
