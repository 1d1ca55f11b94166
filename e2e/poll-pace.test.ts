import type { MpesaStk } from 'mpesa-stk'
import type { QueryRate, ScenarioInput } from 'mpesa-stk-simulator'
import { describe, expect, test } from 'vitest'
import { openShopFloor, type ShopFloor } from './shop-floor.ts'
import { openMemoryInTime, type StoreInTime, storesInTime } from './stores.ts'

const order = { phoneNumber: '0712345678', amount: 500, accountReference: 'ORDER-123', idempotencyKey: 'ORDER-123' }

/** A shop and its Daraja in one time. */
function openFloorIn({ clock }: StoreInTime, queryRate: QueryRate | false): Promise<ShopFloor> {
  return openShopFloor({ queryRate, now: () => clock.now().getTime() })
}

async function initiate(floor: ShopFloor, mpesa: MpesaStk, count: number, scenario: ScenarioInput): Promise<void> {
  floor.simulator.addScenario({ ...scenario, times: 'always' })
  for (let index = 0; index < count; index++) {
    const idempotencyKey = `ORDER-${index}`
    await mpesa.initiatePayment({ ...order, phoneNumber: `071234500${index}`, idempotencyKey })
  }
}

/** When each query reached Daraja, in milliseconds. */
const queriedAt = ({ simulator }: ShopFloor): readonly number[] =>
  simulator
    .requests()
    .filter(({ path }) => path.includes('stkpushquery'))
    .map(({ receivedAt }) => Date.parse(receivedAt))

const count = (text: string, part: string): number => text.split(part).length - 1

describe.each(storesInTime)('the pace of queries on the %s store', (_name, openInTime) => {
  test('is one for two processes: never two queries within the pause that was learnt', async () => {
    await using time = await openInTime()
    await using floor = await openFloorIn(time, false)
    const team = [floor.open(time.store, {}, time.clock), floor.open(time.store, {}, time.clock)] as const
    await initiate(floor, team[0], 6, { outcome: 'pending' })
    for (let second = 0; second < 90; second++) {
      await time.advance(1_000)
      await Promise.all(team.map(each => each.runDueWork()))
    }
    const at = queriedAt(floor)
    expect(at.length, 'five a minute, and each answer makes it 3 % faster').toBeGreaterThanOrEqual(7)
    for (const [index, ms] of at.entries()) {
      const before = at[index - 1]
      if (before !== undefined) expect(ms - before).toBeGreaterThanOrEqual(12_000 * 0.97 ** (index - 1) - 1)
    }
  })

  test("beside the sandbox's limit costs three pending payments a few refusals, and all are settled", async () => {
    await using time = await openInTime()
    await using floor = await openFloorIn(time, { limit: 5, perMs: 60_000, burst: 1 })
    const mpesa = floor.open(time.store, {}, time.clock)
    await initiate(floor, mpesa, 3, { outcome: 'paid', callbackLost: true })
    for (let second = 0; second < 180 && floor.settled.length < 3; second++) {
      await time.advance(1_000)
      await mpesa.runDueWork()
    }
    expect(floor.settled.map(({ status }) => status)).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS'])
    const refusals = count(floor.log(), "reason: 'throttled'")
    expect(refusals).toBeLessThanOrEqual(2)
    expect(queriedAt(floor)).toHaveLength(3 + refusals)
  })
})

test('a Daraja that allows a good deal less is followed, and every payment is settled all the same', async () => {
  await using time = await openMemoryInTime()
  await using floor = await openFloorIn(time, { limit: 1, perMs: 60_000, burst: 1 })
  const mpesa = floor.open(time.store, {}, time.clock)
  await initiate(floor, mpesa, 5, { outcome: 'paid', callbackLost: true })
  for (let second = 0; second < 1_800 && floor.settled.length < 5; second++) {
    await time.advance(1_000)
    await mpesa.runDueWork()
  }
  expect(floor.settled).toHaveLength(5)
  expect(queriedAt(floor).length, 'refusals while it learns, and not a storm of them').toBeLessThan(15)
})

test('each shortcode has its own pace: one that is throttled holds up no other', async () => {
  await using time = await openMemoryInTime()
  await using floor = await openFloorIn(time, false)
  const throttled = floor.open(time.store, { shortCode: '600000' }, time.clock)
  const other = floor.open(time.store, {}, time.clock)
  floor.simulator.addScenario({ outcome: 'pending', queryAnswers: ['429'] })
  await throttled.initiatePayment({ ...order, idempotencyKey: 'THROTTLED' })
  await initiate(floor, other, 1, { outcome: 'pending' })
  await time.advance(5_000)
  await throttled.runDueWork()
  expect(queriedAt(floor)).toHaveLength(1)
  await other.runDueWork()
  expect(queriedAt(floor)).toHaveLength(2)
})
