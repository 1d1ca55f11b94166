import { describe, expect, test } from 'vitest'
import { QuarantineBudget } from './quarantine-budget.ts'

const rowBytes = 1_024
const hourMs = 3_600_000

/** A budget with a clock that moves when told, and a store that says what is in it, and whom it was asked for. */
function openBudget(budgetBytes: number, stored: Readonly<Record<string, number>> = {}) {
  const asked: string[] = []
  const state = { nowMs: 0, stored: { ...stored } as Record<string, number>, failures: 0 }
  const count = async (appId: string): Promise<number> => {
    asked.push(appId)
    if (state.failures > 0) {
      state.failures--
      throw new Error('connection lost')
    }
    return state.stored[appId] ?? 0
  }
  const budget = new QuarantineBudget(budgetBytes, count, () => state.nowMs)
  return { take: (appId: string, bytes: number) => budget.take(appId, bytes), asked, state }
}

describe('a quarantine budget', () => {
  test('is exact to the byte, and each body costs a row beside its bytes', async () => {
    const { take } = openBudget(2 * rowBytes + 500)
    expect(await take('app', 300)).toBe(true)
    expect(await take('app', 201)).toBe(false)
    expect(await take('app', 200)).toBe(true)
    expect(await take('app', 0)).toBe(false)
  })

  test('of bodies that hold nothing is used up by their rows', async () => {
    const { take } = openBudget(3 * rowBytes)
    expect([await take('app', 0), await take('app', 0), await take('app', 0)]).toEqual([true, true, true])
    expect(await take('app', 0)).toBe(false)
    const { take: takeOfLess } = openBudget(rowBytes - 1)
    expect(await takeOfLess('app', 0)).toBe(false)
  })

  test('counts what is in the store already', async () => {
    const { take } = openBudget(10 * rowBytes, { app: 9 * rowBytes - 7 })
    expect(await take('app', 8)).toBe(false)
    expect(await take('app', 7)).toBe(true)
  })

  test('that has no room for a large body has it for a small one that comes after', async () => {
    const { take } = openBudget(3 * rowBytes)
    expect(await take('app', 100_000)).toBe(false)
    expect(await take('app', 100)).toBe(true)
    expect(await take('app', 100_000)).toBe(false)
    expect(await take('app', 200)).toBe(true)
  })

  test('is each app’s own', async () => {
    const { take, asked } = openBudget(rowBytes, { full: rowBytes })
    expect(await take('full', 0)).toBe(false)
    expect(await take('empty', 0)).toBe(true)
    expect(asked).toEqual(['full', 'empty'])
  })

  test('is counted in the store once an hour, and not for every body', async () => {
    const { take, asked, state } = openBudget(2 * rowBytes)
    expect([await take('app', 0), await take('app', 0), await take('app', 0)]).toEqual([true, true, false])
    // A day has gone by for what was there: yet nobody looks before the hour is over.
    state.stored = { app: rowBytes }
    state.nowMs = hourMs - 1
    expect(await take('app', 0)).toBe(false)
    expect(asked).toHaveLength(1)
    state.nowMs = hourMs
    expect([await take('app', 0), await take('app', 0)]).toEqual([true, false])
    expect(asked).toHaveLength(2)
    // The next hour begins with this count.
    state.nowMs = 2 * hourMs - 1
    await take('app', 0)
    expect(asked).toHaveLength(2)
    state.nowMs = 2 * hourMs
    await take('app', 0)
    expect(asked).toHaveLength(3)
  })

  test('is asked of the store again after it failed, and was told to nobody meanwhile', async () => {
    const { take, asked, state } = openBudget(2 * rowBytes, { app: rowBytes })
    state.failures = 1
    const together = await Promise.allSettled([take('app', 0), take('app', 0)])
    expect(together.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(asked).toHaveLength(1)
    expect(await take('app', 0)).toBe(true)
    expect(await take('app', 0)).toBe(false)
    expect(asked).toHaveLength(2)
  })

  test('is never exceeded by many who take at once, and they cost one count', async () => {
    const { take, asked } = openBudget(10 * (rowBytes + 50), { app: 3 * (rowBytes + 50) })
    const taken = await Promise.all(Array.from({ length: 200 }, () => take('app', 50)))
    expect(taken.filter(Boolean)).toHaveLength(7)
    expect(asked).toEqual(['app'])
  })
})
