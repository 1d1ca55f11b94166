import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { explain } from 'mpesa-stk'
import { createSimulator, type Simulator } from 'mpesa-stk-simulator'
import { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findServices } from '../scripts/services/find.ts'
import { findPrivateData } from '../scripts/watch-log-output.ts'
import { paidBody } from './callback-bodies.ts'
import { command, type RunningShop, runShop } from './examples/running-shop.ts'
import { copyExample, installForStranger } from './examples/stranger.ts'
import { type LocalServer, startCallbackServer } from './local-server.ts'

// Each example as somebody runs who has copied it: plain Node, and the library from its tarball.

const { postgres } = await findServices()
const schema = `examples_${process.pid}`
const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-examples-'))
let stranger: string

beforeAll(() => {
  stranger = installForStranger(folder)
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const variants: readonly { readonly name: string; readonly example: string; readonly database?: string }[] = [
  { name: 'hono on SQLite', example: 'hono' },
  { name: 'express on SQLite', example: 'express' },
  // Left out only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
  ...(postgres === undefined ? [] : [{ name: 'express on PostgreSQL', example: 'express', database: postgres.url }]),
]

describe.each(variants)('the example $name', { timeout: 60_000 }, ({ name, example, database }) => {
  let home: string
  let simulator: Simulator
  /** What stands before a shop in the internet, at an address that stays. */
  let proxy: LocalServer
  let env: Record<string, string>
  let shop: RunningShop

  beforeAll(async () => {
    home = copyExample(example, stranger, name.replaceAll(' ', '-'))
    simulator = await createSimulator({ queryRate: false })
    proxy = await startCallbackServer(async (path, body) => {
      const answer = await fetch(shop.url + path, { method: 'POST', body })
      expect([answer.status, await answer.text()]).toEqual([200, '{"ResultCode":0,"ResultDesc":"Success"}'])
    })
    env = {
      MPESA_CONSUMER_KEY: 'the-consumer-key',
      MPESA_CONSUMER_SECRET: 'the-consumer-secret',
      MPESA_PASSKEY: 'the-pass-key',
      MPESA_CALLBACK_URL: `${proxy.url}/payments/callback`,
      MPESA_BASE_URL: simulator.url,
    }
    if (database !== undefined) {
      await ask(`CREATE SCHEMA ${schema}`)
      const url = new URL(database)
      url.searchParams.set('options', `-c search_path=${schema}`)
      env['DATABASE_URL'] = url.href
    }
    shop = await runShop(home, env)
  }, 60_000)

  afterAll(async () => {
    shop?.kill()
    await proxy?.close()
    await simulator?.close()
    if (database !== undefined) await ask(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  })

  async function ask(sql: string): Promise<unknown[]> {
    const pool = new Pool({ connectionString: database })
    const { rows } = await pool.query(sql)
    await pool.end()
    return rows
  }

  const pushes = (order: string): number => simulator.requests().filter(({ body }) => body.includes(order)).length

  test('is paid', async () => {
    const { paymentId, status, receipt } = await shop.pay('ORDER-1', '0712 000 001')
    expect({ status, receipt }).toEqual({ status: 'PENDING', receipt: null })
    const transaction = simulator.respond('0712000001', 'approve')
    await shop.line(/^paid ORDER-1, /)
    const paid = simulator.transactions().find(each => each.checkoutRequestId === transaction.checkoutRequestId)
    expect(await shop.look(paymentId)).toEqual({
      paymentId,
      status: 'SUCCESS',
      receipt: paid?.receipt,
      message: 'Paid. Asante!',
    })
    await simulator.idle()
    const [{ callbackAttempts } = { callbackAttempts: [] }] = simulator.transactions()
    expect(callbackAttempts.map(attempt => attempt.status)).toEqual(['acknowledged'])
    if (database === undefined) return
    const rows = await ask(`SELECT account_reference, status FROM ${schema}.mpesa_payments`)
    expect(rows).toEqual([{ account_reference: 'ORDER-1', status: 'SUCCESS' }])
  })

  test('tells why it was not paid, and lets the customer try that order again', async () => {
    const { paymentId } = await shop.pay('ORDER-2', '0712 000 002')
    simulator.respond('0712000002', 'cancel')
    await shop.line(/^not paid ORDER-2: CANCELLED$/)
    const message = explain('stk-callback', '1032').customer.en
    expect(await shop.look(paymentId)).toEqual({ paymentId, status: 'CANCELLED', receipt: null, message })
    const again = await shop.pay('ORDER-2', '0712 000 002')
    expect(again).toMatchObject({ status: 'PENDING' })
    simulator.respond('0712000002', 'approve')
    await shop.line(/^paid ORDER-2, /)
    expect(await shop.pay('ORDER-2', '0712 000 002')).toMatchObject({ paymentId: again.paymentId, status: 'SUCCESS' })
    expect(pushes('ORDER-2')).toBe(2)
  })

  test('prompts once for an order, however often it is asked', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => shop.pay('ORDER-3', '0712 000 003')))
    expect(new Set(answers.map(({ paymentId }) => paymentId)).size).toBe(1)
    expect((await shop.checkout('ORDER-3', '0712 000 003', 900)).status).toBe(409)
    simulator.respond('0712000003', 'approve')
    await shop.line(/^paid ORDER-3, /)
    expect(pushes('ORDER-3')).toBe(1)
  })

  test('asks Safaricom when the callback is lost', async () => {
    simulator.addScenario({ msisdn: '0712000004', outcome: 'paid', callbackLost: true })
    const { paymentId } = await shop.pay('ORDER-4', '0712 000 004')
    await shop.line(/^paid ORDER-4, receipt not known yet$/)
    expect(await shop.look(paymentId)).toMatchObject({ status: 'SUCCESS', receipt: null })
  })

  test('says that it does not know, and never prompts again, when the answer to the push is lost', async () => {
    simulator.addScenario({ msisdn: '0712000005', outcome: 'paid', callbackLost: true, ackLost: true })
    const unknown = await shop.pay('ORDER-5', '0712 000 005')
    expect(unknown).toMatchObject({ status: 'UNKNOWN', message: expect.stringContaining('do not pay again') })
    expect(await shop.pay('ORDER-5', '0712 000 005')).toEqual(unknown)
    expect(pushes('ORDER-5')).toBe(1)
  })

  test('tells of a refusal, after which the same order may be tried again', async () => {
    simulator.addScenario({ msisdn: '0712000006', ackError: 'incapsula-403' })
    const refused = await shop.checkout('ORDER-6', '0712 000 006')
    expect(refused.status).toBe(502)
    expect(await refused.json()).toEqual({ message: expect.stringMatching(/\w/) })
    await shop.line(/^push refused /)
    expect(await shop.pay('ORDER-6', '0712 000 006')).toMatchObject({ status: 'PENDING' })
  })

  test('refuses what is no order, and prompts nobody', async () => {
    const before = simulator.requests().length
    const statuses = [
      await shop.checkout('ORDER-7', '12345'),
      await shop.checkout('ORDER-7', '0712 000 007', 0.5),
      await shop.checkout(undefined, '0712 000 007'),
      await shop.post('/checkout', 'null'),
      await shop.post('/checkout', '{'),
    ].map(({ status }) => status)
    for (const status of statuses) expect([400, 422]).toContain(status)
    expect((await fetch(`${shop.url}/payments/nobody`)).status).toBe(404)
    expect(simulator.requests()).toHaveLength(before)
  })

  test('acknowledges a callback without the token of its payment, and does not believe it', async () => {
    const { paymentId } = await shop.pay('ORDER-8', '0712 000 008')
    const { checkoutRequestId } = simulator.transactions().at(-1) ?? {}
    expect(
      (await shop.post('/payments/callback', JSON.stringify(paidBody(checkoutRequestId ?? '', 'UHH0FORGED')))).status,
    ).toBe(200)
    expect(await shop.look(paymentId)).toMatchObject({ status: 'PENDING' })
  })

  test('answers what is under way when it is asked to stop, ends with 0, and knows its payments when it is back', async () => {
    simulator.addScenario({ msisdn: '0712000009', ackDelayMs: 300 })
    const underWay = shop.pay('ORDER-9', '0712 000 009')
    await simulator.waitForTransaction(({ accountReference }) => accountReference === 'ORDER-9')
    const stopped = shop.stop()
    const { paymentId, status } = await underWay
    expect(status).toBe('PENDING')
    expect(await stopped).toBe(0)
    expect(findPrivateData(shop.output())).toEqual([])
    shop = await runShop(home, env)
    expect(await shop.look(paymentId)).toMatchObject({ paymentId, status: 'PENDING' })
    expect(await shop.stop()).toBe(0)
  })

  test('answers 500, and acknowledges nothing, when a callback could not be stored', async () => {
    const adapter = database === undefined ? 'SqliteAdapter' : 'PostgresAdapter'
    writeFileSync(
      join(home, 'full-disk.mjs'),
      `import { ${adapter} } from 'mpesa-stk'
      ${adapter}.prototype.parkCallback = async () => { throw new Error('the disk is full') }`,
    )
    shop = await runShop(home, env, ['--import', './full-disk.mjs'])
    const response = await shop.post('/payments/callback', JSON.stringify(paidBody('ws_CO_nobody', 'UHH0AB12CD')))
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('ResultCode')
    await shop.line(/^a request failed/)
    expect(await shop.stop()).toBe(0)
  })

  test('is started by the command in its README', () => {
    expect(readFileSync(join(home, 'README.md'), 'utf8')).toContain(`\n${command}`)
  })
})
