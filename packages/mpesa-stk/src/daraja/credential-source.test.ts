import { describe, expect, test } from 'vitest'
import type { Credentials } from '../core/credentials.ts'
import type { Clock } from '../core/ports.ts'
import { createCredentialSource } from './credential-source.ts'

const named = (passKey: string): Credentials => ({ consumerKey: 'key', consumerSecret: 'secret', passKey })

/** A vault whose answers the test gives, one after another, and counts. */
function openVault() {
  let nowMs = 1_800_000_000_000
  const clock: Clock = { now: () => new Date(nowMs), sleep: async () => {} }
  const questions: { answer: (credentials: Credentials) => void; fail: (error: Error) => void }[] = []
  const source = createCredentialSource(() => new Promise((answer, fail) => questions.push({ answer, fail })), clock)
  return {
    source,
    asked: (): number => questions.length,
    /** Answers the newest question, once it was asked. */
    async answer(credentials: Credentials) {
      await new Promise(resolve => setImmediate(resolve))
      questions.at(-1)?.answer(credentials)
    },
    async fail() {
      await new Promise(resolve => setImmediate(resolve))
      questions.at(-1)?.fail(new Error('the vault is shut'))
    },
    pass(ms: number) {
      nowMs += ms
    },
  }
}

async function openFilledVault() {
  const vault = openVault()
  const first = vault.source.get()
  await vault.answer(named('old'))
  return { ...vault, used: await first }
}

test('the provider is asked once, for all who need credentials at once, and what it says is kept', async () => {
  const vault = openVault()
  const all = Promise.all([vault.source.get(), vault.source.get(), vault.source.get()])
  await vault.answer(named('old'))
  expect(await all).toEqual([named('old'), named('old'), named('old')])
  expect(await vault.source.get()).toEqual(named('old'))
  expect(vault.asked()).toBe(1)
})

test('what else a provider returns is not kept', async () => {
  const vault = openVault()
  const got = vault.source.get()
  await vault.answer({ ...named('old'), ...{ rootToken: 'not for us' } })
  expect(Object.keys(await got).sort()).toEqual(['consumerKey', 'consumerSecret', 'passKey'])
})

test('a provider that fails is heard, left alone for a second, and asked again by the next who needs credentials', async () => {
  const vault = openVault()
  const first = vault.source.get()
  await vault.fail()
  await expect(first).rejects.toThrow('the vault is shut')
  await expect(vault.source.get()).rejects.toThrow('the vault is shut')
  expect(vault.asked()).toBe(1)
  vault.pass(1_000)
  const second = vault.source.get()
  await vault.answer(named('old'))
  expect(await second).toEqual(named('old'))
})

test.each([
  ['nothing', undefined],
  ['no passkey', { consumerKey: 'key', consumerSecret: 'secret' }],
  ['an empty secret', { ...named('old'), consumerSecret: '' }],
  ['a number', { ...named('old'), consumerKey: 4711 }],
])('a provider that gives %s is told so without its values, and nothing is kept', async (_what, provided) => {
  const vault = openVault()
  const got = vault.source.get()
  await vault.answer(provided as unknown as Credentials)
  const error: unknown = await got.catch((cause: unknown) => cause)
  expect(error).toMatchObject({ code: 'MPESA_STK_CONFIG_INVALID' })
  expect(String(error)).not.toMatch(/4711|secret'/)
})

describe('when Daraja refuses', () => {
  test('the provider is asked again, and what it says is used from then on', async () => {
    const vault = await openFilledVault()
    vault.pass(30_000)
    const refreshed = vault.source.refresh(vault.used)
    await vault.answer(named('new'))
    expect(await refreshed).toBe(true)
    expect(await vault.source.get()).toEqual(named('new'))
    expect(vault.asked()).toBe(2)
  })

  test('what it says is no news when it is the same', async () => {
    const vault = await openFilledVault()
    vault.pass(30_000)
    const refreshed = vault.source.refresh(vault.used)
    await vault.answer(named('old'))
    expect(await refreshed).toBe(false)
  })

  test('many at once, it is asked once', async () => {
    const vault = await openFilledVault()
    vault.pass(30_000)
    const all = Promise.all([vault.source.refresh(vault.used), vault.source.refresh(vault.used)])
    await vault.answer(named('new'))
    expect(await all).toEqual([true, true])
    expect(vault.asked()).toBe(2)
  })

  test('credentials that somebody has replaced meanwhile, it is not asked at all', async () => {
    const vault = await openFilledVault()
    vault.pass(30_000)
    const first = vault.source.refresh(vault.used)
    await vault.answer(named('new'))
    await first
    expect(await vault.source.refresh(vault.used)).toBe(true)
    expect(vault.asked()).toBe(2)
  })

  test('within 30 s of the last question, it is not asked', async () => {
    const vault = await openFilledVault()
    vault.pass(29_999)
    expect(await vault.source.refresh(vault.used)).toBe(false)
    expect(vault.asked()).toBe(1)
  })

  test('a provider that fails keeps what we have, and is left alone for 30 s too', async () => {
    const vault = await openFilledVault()
    vault.pass(30_000)
    const refreshed = vault.source.refresh(vault.used)
    await vault.fail()
    expect(await refreshed).toBe(false)
    expect(await vault.source.get()).toEqual(named('old'))
    vault.pass(29_999)
    expect(await vault.source.refresh(vault.used)).toBe(false)
    expect(vault.asked()).toBe(2)
    vault.pass(1)
    const again = vault.source.refresh(vault.used)
    await vault.answer(named('new'))
    expect(await again).toBe(true)
  })
})
