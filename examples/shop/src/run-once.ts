import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CallbackListener, listenToCallbacks } from './once-listener.ts'
import { readRelayedEvents } from './once-relayed.ts'
import { type OnceResult, reportOnce } from './once-report.ts'
import { type OnceScenario, onceScenarios } from './once-scenarios.ts'
import { createOnceScene } from './once-scene.ts'
import { tellWholeStory } from './once-timeline.ts'
import { openShop, type Shop } from './open-shop.ts'

/** A scenario takes well under a second; one that hangs must end too. */
const longestMs = 30_000

/** Shorter than the relay's own, so that a shop that was down is not waited for long. */
const scheduleMs = [200, 200, 200, 200, 200]

/** Plays one scenario on a store and ports of its own, prints it, and says with 0 that it ended as it must. */
export async function runOnce(name: string, { json }: { readonly json: boolean }): Promise<number> {
  const scenario = onceScenarios.find(candidate => candidate.name === name)
  if (scenario === undefined) throw new Error(`no scenario ${name}`)
  const data = await mkdtemp(join(tmpdir(), 'mpesa-stk-once-'))
  try {
    const listener = listenToCallbacks()
    const shop = await openShop({
      host: '127.0.0.1',
      port: 0,
      simulatorPort: 0,
      relayPort: 0,
      data,
      latency: 'none',
      logger: listener.logger,
      pollIntervalMs: scenario.pollIntervalMs,
      scheduleMs,
    })
    try {
      const result = await within(longestMs, play(scenario, shop, listener))
      const hasColours = process.stdout.isTTY === true && !process.env['NO_COLOR']
      console.log(json ? JSON.stringify(result, null, 2) : reportOnce(scenario, result, hasColours))
      return result.ok ? 0 : 1
    } finally {
      await shop.close()
    }
  } finally {
    await rm(data, { recursive: true, force: true })
  }
}

async function play(scenario: OnceScenario, shop: Shop, listener: CallbackListener): Promise<OnceResult> {
  const { simulator, mpesa } = shop
  for (const each of scenario.simulator) simulator.addScenario(each)
  const { scene, notes, problems } = createOnceScene(shop, listener)
  if (scenario.play === undefined) await scene.pay()
  else await scenario.play(scene)
  // The signal that it is over: Safaricom has nothing more to send, and the relay nothing to deliver. A delivery was
  // answered only after its commit, so all of them are in the store.
  await scene.callbacksDone()
  const payment = await scene.payment()
  const secondAttempt = await scene.secondAttempt()
  const both = [payment, ...(secondAttempt === null ? [] : [secondAttempt])]
  const trails = await Promise.all(both.map(({ id }) => mpesa.history({ paymentId: id })))
  const relayed = await readRelayedEvents(shop)
  const { name, expected, advice } = scenario
  return {
    scenario: name,
    expected,
    status: payment.status,
    ok: payment.status === expected && problems.length === 0,
    problems,
    receipt: payment.receipt,
    payment,
    secondAttempt,
    advice: advice ?? null,
    timeline: tellWholeStory({ trails, transactions: simulator.transactions(), relayed, heard: listener.heard, notes }),
  }
}

async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the scenario did not end within ${limitMs} ms`)), limitMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
