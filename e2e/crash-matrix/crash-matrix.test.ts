import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSimulator, type ScenarioInput, type Simulator } from 'mpesa-stk-simulator'
import { Pool } from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { findServices } from '../../scripts/services/find.ts'
import { bundleScript } from '../bundle-script.ts'
import { openLife, order, type World } from './mortal.ts'
import { createSteppedClock } from './stepped-clock.ts'

const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-matrix-'))
const { postgres } = await findServices()
const pool = postgres === undefined ? null : new Pool({ connectionString: postgres.url })
afterAll(async () => {
  await pool?.end()
  rmSync(folder, { recursive: true, force: true })
})

/** Far more steps than a payment has: an end for a loop that would not end. */
const mostSteps = 200
/** Processes at a time: they wait for most of their life, so that two cores carry four. */
const atOnce = 4
/** What a life may take that nobody kills. */
const lifeMs = 20_000

let lastWorld = 0

type Row = { readonly step: number; readonly diedAt: string; readonly outcome: string }

const stores: readonly (readonly [name: string, open: () => Promise<World['store'] & { drop(): Promise<void> }>])[] = [
  ['SQLite', async () => ({ path: join(folder, `${++lastWorld}.db`), async drop() {} })],
  // Left out only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
  ...(postgres === undefined || pool === null
    ? []
    : [
        [
          'PostgreSQL',
          async () => {
            const schema = `matrix_${process.pid}_${++lastWorld}`
            await pool.query(`CREATE SCHEMA ${schema}`)
            return {
              url: postgres.url,
              schema,
              drop: async () => void (await pool.query(`DROP SCHEMA ${schema} CASCADE`)),
            }
          },
        ] as const,
      ]),
]

const scenarios: readonly (readonly [name: string, scenario: ScenarioInput])[] = [
  ['its callback is sent until it is taken', { outcome: 'paid', callbackRetryPolicy: 'until-200' }],
  ['its callback never comes', { outcome: 'paid', callbackLost: true }],
]

describe.each(stores)('kill -9 at every step, on %s', (_store, openWorld) => {
  test.each(scenarios)(
    'of a payment when %s: one prompt, nothing lost, settled once',
    async (name, scenario) => {
      const rows: Row[] = []
      let survivor: number | null = null
      const takeSteps = async (first: number): Promise<void> => {
        for (let step = first; step <= mostSteps && survivor === null; step += atOnce) {
          const row = await liveAndDie(openWorld, scenario, step)
          rows.push(row)
          if (row.diedAt === '') survivor = step
        }
      }
      await Promise.all(Array.from({ length: atOnce }, (_, index) => takeSteps(index + 1)))
      rows.sort((a, b) => a.step - b.step)
      console.log([`${_store}, ${name}`, ...rows.map(print)].join('\n'))
      expect(survivor, 'the loop must reach a life without a death').not.toBeNull()
      expect(rows.length).toBeGreaterThan(20)
    },
    600_000,
  )
})

function print({ step, diedAt, outcome }: Row): string {
  return `${String(step).padStart(4)}  ${(diedAt || 'survived').padEnd(60)}  ${outcome}`
}

/** One life that is killed at `step`, and the life of the process that comes after it. */
async function liveAndDie(
  openWorld: () => Promise<World['store'] & { drop(): Promise<void> }>,
  scenario: ScenarioInput,
  step: number,
): Promise<Row> {
  const { drop, ...store } = await openWorld()
  await using simulator = await createSimulator({
    seed: step,
    queryRate: false,
    callbackRetryDelaysMs: [50],
    scenarios: [{ ...scenario, times: 'always' }],
  })
  const id = ++lastWorld
  const world = {
    store,
    darajaUrl: simulator.url,
    callbackPort: await freePort(),
    handled: join(folder, `handled-${id}`),
  } as World
  try {
    const diedAt = await liveUntil(world, step, join(folder, `note-${id}`))
    const pushedBefore = pushes(simulator)
    const outcome = await goOn(world, simulator, scenario, `step ${step}, ${diedAt || 'survived'}`)
    return { step, diedAt, outcome: `${pushedBefore} prompts before, ${outcome}` }
  } finally {
    await drop()
  }
}

/** Where the process died; empty when it lived to its end. */
async function liveUntil(world: World, step: number, note: string): Promise<string> {
  const script = await bundleScript(new URL('die-at-step.ts', import.meta.url))
  const child = spawn(process.execPath, [script, JSON.stringify(world), String(step), note], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: lifeMs,
    killSignal: 'SIGTERM',
  })
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  if (signal === 'SIGKILL') return readFileSync(note, 'utf8')
  expect([code, signal], 'a life that nobody ends must end well').toEqual([0, null])
  return ''
}

/** The next process takes over: asks for the same payment with the same key, and everything must be as if nobody had died. */
async function goOn(world: World, simulator: Simulator, scenario: ScenarioInput, where: string): Promise<string> {
  // The leases of the dead process and its time to wait for an answer must run out first. The test need not wait for that.
  const life = await openLife(world, { clock: createSteppedClock(10 * 60_000) })
  await endLeases(world)
  try {
    await life.mpesa.start()
    const { paymentId, status: first } = await life.mpesa.initiatePayment(order)
    const hasCallback = simulator.transactions().length > 0 && scenario.callbackLost !== true
    const isKnown = first !== 'UNKNOWN' || hasCallback
    // The dead process may have called the handler already: then nobody is called again.
    if (isKnown) await expect.poll(() => handledEvents(world).length, { timeout: lifeMs, message: where }).not.toBe(0)
    await life.mpesa.idle()
    // None when it died with the right to push in its hand: nobody else may push then.
    expect(pushes(simulator), `${where}: one prompt for a key`).toBeLessThanOrEqual(1)
    if (isKnown) expect(pushes(simulator), where).toBe(1)
    const payment = await life.mpesa.getPayment(paymentId)
    const trail = await life.mpesa.history({ paymentId })
    const settlements = trail.filter(({ event }) => event === 'payment.settled')
    expect(await life.mpesa.verifyAuditTrail(), where).toMatchObject({ isIntact: true })
    if (isKnown) {
      expect(payment, where).toMatchObject({ status: 'SUCCESS' })
      expect(settlements, `${where}: settled once`).toHaveLength(1)
      expect(handledEvents(world), `${where}: heard of`).toContain(settlements[0]?.id)
    } else {
      expect(payment, `${where}: unknown is not failed`).toMatchObject({ status: 'UNKNOWN' })
      expect(await life.mpesa.unresolved(), where).toMatchObject([{ paymentId }])
      expect(settlements, where).toEqual([])
    }
    await life.mpesa.checkpointAuditTrail()
    expect(await life.mpesa.verifyAuditTrail(), where).toMatchObject({ isIntact: true, checkpoints: 1 })
    return `then ${first}, in the end ${payment?.status}, ${handledEvents(world).length} calls of the handler`
  } finally {
    await life.close()
  }
}

/** PostgreSQL goes by its own time. */
async function endLeases({ store }: World): Promise<void> {
  if ('schema' in store) await pool?.query(`UPDATE ${store.schema}.mpesa_due_work SET lease_until = clock_timestamp()`)
}

function pushes(simulator: Simulator): number {
  return simulator.requests().filter(({ path }) => path.endsWith('/processrequest')).length
}

function handledEvents({ handled }: World): readonly string[] {
  if (!existsSync(handled)) return []
  const lines = readFileSync(handled, 'utf8').split('\n').filter(Boolean)
  return lines.map(line => (JSON.parse(line) as { id: string }).id)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return address !== null && typeof address === 'object' ? address.port : 0
}
