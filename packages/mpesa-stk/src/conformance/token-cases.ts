import assert from 'node:assert/strict'
import type { SealedToken, TokenAsk } from '../core/ports.ts'
import type { StoreCase } from './store-case.ts'

const minute = (count: number): Date => new Date(Date.UTC(2026, 3, 3, 10, count))
/** At minute `now`, for a token that is good two minutes more; whoever fetches has five. */
const ask = (now: number): TokenAsk => ({ at: minute(now), goodUntil: minute(now + 2), fetchUntil: minute(now + 5) })
const token: SealedToken = { sealed: new Uint8Array([0, 1, 255]), digest: 'd1', endsAt: minute(60) }

export const tokenCases: readonly StoreCase[] = [
  {
    name: 'the right to fetch a token goes to one of many who ask at once',
    async run(store) {
      const taken = await Promise.all(Array.from({ length: 10 }, () => store.takeToken('key', ask(0))))
      assert.equal(taken.filter(({ outcome }) => outcome === 'fetch').length, 1)
      assert.equal(taken.filter(({ outcome }) => outcome === 'wait').length, 9)
      assert.deepEqual(await store.takeToken('another key', ask(0)), { outcome: 'fetch' })
    },
  },
  {
    name: 'a token that was put is shared until shortly before its end',
    async run(store) {
      await store.takeToken('key', ask(0))
      await store.putToken('key', token, minute(5))
      const kept = await store.takeToken('key', ask(57))
      assert(kept.outcome === 'kept')
      assert.deepEqual({ ...kept.token, sealed: Uint8Array.from(kept.token.sealed) }, token)
      assert.deepEqual(await store.takeToken('key', ask(58)), { outcome: 'fetch' })
    },
  },
  {
    name: 'whoever dies while fetching is followed by another, and who fails lets go at once',
    async run(store) {
      await store.takeToken('key', ask(0))
      assert.deepEqual(await store.takeToken('key', ask(4)), { outcome: 'wait' })
      assert.deepEqual(await store.takeToken('key', ask(5)), { outcome: 'fetch' })
      await store.putToken('key', null, minute(10))
      assert.deepEqual(await store.takeToken('key', ask(6)), { outcome: 'fetch' })
    },
  },
  {
    name: 'a refused token is dropped, a newer one is not',
    async run(store) {
      await store.takeToken('key', ask(0))
      await store.putToken('key', token, minute(5))
      await store.dropToken('key', 'an older one')
      assert.equal((await store.takeToken('key', ask(0))).outcome, 'kept')
      await store.dropToken('key', token.digest)
      assert.equal((await store.takeToken('key', ask(0))).outcome, 'fetch')
    },
  },
  {
    name: 'dropping an old token takes the right to fetch from nobody, and whoever lost the right writes nothing',
    async run(store) {
      await store.takeToken('key', ask(0))
      await store.putToken('key', token, minute(5))
      const taken = await Promise.all(Array.from({ length: 10 }, () => store.takeToken('key', ask(58))))
      assert.equal(taken.filter(({ outcome }) => outcome === 'fetch').length, 1)
      await store.dropToken('key', token.digest)
      assert.deepEqual(await store.takeToken('key', ask(58)), { outcome: 'wait' })
      assert.deepEqual(await store.takeToken('key', ask(56)), { outcome: 'wait' })
      await store.putToken('key', null, minute(5))
      assert.deepEqual(await store.takeToken('key', ask(59)), { outcome: 'wait' })
    },
  },
]
