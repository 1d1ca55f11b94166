import { describe, expect, test } from 'vitest'
import {
  allowsStream,
  grantOfSecret,
  grantOfToken,
  hasExpired,
  indexRevocations,
  isRevoked,
  refreshGrant,
  type TokenClaims,
} from './stream-grant.ts'

const claims: TokenClaims = {
  tokenId: 't-1',
  subject: 's-1',
  sourceId: 'source-1',
  issuedAtMs: 1_000,
  expiresAtMs: 2_000,
  streams: ['payment:a', 'payment:b'],
  actions: ['read'],
  pushes: {},
}
const first = grantOfToken(claims)

describe('a fresh token', () => {
  test('allows what both allow', () => {
    const streams = ['payment:b', 'source']
    const fresh = grantOfToken({ ...claims, tokenId: 't-2', streams, actions: ['read', 'ack'], expiresAtMs: 9_000 })
    expect(refreshGrant(first, fresh)).toMatchObject({
      token: { tokenId: 't-2', expiresAtMs: 9_000 },
      streams: ['payment:b'],
      actions: ['read'],
    })
  })

  test.each([
    ['another subject', { subject: 's-2' }],
    ['nobody', { subject: null }],
    ['another source', { sourceId: 'source-2' }],
  ])('of %s is none', (_whose, other) => {
    expect(refreshGrant(first, grantOfToken({ ...claims, ...other }))).toBe(null)
  })

  test('is nothing to who came with a secret', () => {
    expect(refreshGrant(grantOfSecret, first)).toBe(null)
  })
})

test('a secret reads all, and never ends', () => {
  expect(allowsStream(grantOfSecret, 'payment:x')).toBe(true)
  expect(hasExpired(grantOfSecret, Number.MAX_SAFE_INTEGER)).toBe(false)
})

test('a token ends at its time', () => {
  expect([1_999, 2_000].map(nowMs => hasExpired(first, nowMs))).toEqual([false, true])
})

test.each([
  ['its id', { tokenId: 't-1', subject: null }, 0, true],
  ['another id', { tokenId: 't-2', subject: null }, 9_000, false],
  ['all of its subject until then', { tokenId: null, subject: 's-1' }, 1_000, true],
  ['all of its subject before it', { tokenId: null, subject: 's-1' }, 999, false],
  ['all of another subject', { tokenId: null, subject: 's-2' }, 9_000, false],
])('is taken back by %s: %#', (_what, whose, at, expected) => {
  const revoked = indexRevocations([{ ...whose, at: new Date(at), keepUntil: new Date(at + 1) }])
  expect(isRevoked(first, revoked)).toBe(expected)
})
