import { join } from 'node:path'
import { PostgresAdapter, SqliteAdapter, type Store } from 'mpesa-stk'
import { describe, expect, test } from 'vitest'
import { findServices } from '../../scripts/services/find.ts'
import { openRelaySchema } from '../relay/relay-schema.ts'
import { openShopFloor } from '../shop-floor.ts'
import { newSqlitePath } from '../stores.ts'
import { runMpesaStk, runMpesaStkHere } from './run-mpesa-stk.ts'

const { postgres } = await findServices()

const phone = '254712345678'

type Opened = AsyncDisposable & { readonly store: Store; readonly environment: Record<string, string> }

const stores: readonly (readonly [string, () => Promise<Opened>])[] = [
  [
    'SQLite, beside the shop that owns the file',
    async () => {
      const path = newSqlitePath()
      const store = await SqliteAdapter.open(path)
      return { store, environment: { MPESA_STORE_FILE: path }, [Symbol.asyncDispose]: () => store.close() }
    },
  ],
  // Left out only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
  ...(postgres === undefined
    ? []
    : [
        [
          'PostgreSQL',
          async () => {
            const schema = await openRelaySchema(postgres.url)
            return {
              store: new PostgresAdapter(schema.pool),
              environment: { DATABASE_URL: schema.url() },
              [Symbol.asyncDispose]: schema[Symbol.asyncDispose],
            }
          },
        ] as const,
      ]),
]

type Story = {
  readonly payment: Record<string, unknown>
  readonly trail: readonly { readonly event: string; readonly hash: string }[]
  readonly callbacks: readonly { readonly disposition: string; readonly body: string }[]
}

describe.each(stores)('payments show, %s', (_name, open) => {
  test('tells the story of a payment by whatever somebody has of it', async () => {
    await using opened = await open()
    const { store, environment } = opened
    await store.migrate()
    await using floor = await openShopFloor()
    const mpesa = floor.open(store)
    const intent = { phoneNumber: '0712345678', accountReference: 'INVOICE042', description: 'shoes' }
    floor.simulator.addScenario({ outcome: 'cancelled' })
    const first = await mpesa.initiatePayment({ ...intent, amount: 100, idempotencyKey: 'one' })
    await floor.idle()
    floor.simulator.addScenario({ outcome: 'paid' })
    const second = await mpesa.initiatePayment({ ...intent, amount: 200, idempotencyKey: 'two' })
    await floor.idle()
    const paid = await mpesa.getPayment(second.paymentId)
    const receipt = String(paid !== null && 'mpesaReceiptNumber' in paid ? paid.mpesaReceiptNumber : '')
    const show = async (key: string, ...more: readonly string[]) => {
      const run = await runMpesaStkHere(['payments', 'show', key, '--json', ...more], environment)
      expect([run.code, run.err]).toEqual([0, ''])
      return JSON.parse(run.out) as readonly Story[]
    }
    const amounts = async (key: string) => (await show(key)).map(({ payment }) => payment['amount'])

    expect(await amounts(receipt.toLowerCase())).toEqual([200])
    expect(await amounts(second.paymentId)).toEqual([200])
    expect(await amounts(second.checkoutRequestId ?? '')).toEqual([200])
    expect(await amounts(second.merchantRequestId ?? '')).toEqual([200])
    // A reference that looks like a receipt; and a number as people write it. The newest is the last.
    expect(await amounts('INVOICE042')).toEqual([100, 200])
    expect(await amounts('0712 345 678')).toEqual([100, 200])

    const [story] = await show(receipt)
    expect(story?.payment).toMatchObject({
      id: second.paymentId,
      status: 'SUCCESS',
      mpesaReceiptNumber: receipt,
      phoneNumber: '2547*****678',
      checkoutRequestId: 'ws_CO_*****',
    })
    expect(story?.trail.map(({ event }) => event)).toEqual([
      'initiation.reserved',
      'initiation.sent',
      'initiation.accepted',
      'payment.settled',
    ])
    expect(story?.trail).toEqual(JSON.parse(JSON.stringify(await mpesa.history({ paymentId: second.paymentId }))))
    expect(story?.callbacks.map(({ disposition }) => disposition)).toEqual(['applied'])
    expect(JSON.stringify(story)).not.toContain('712345678')
    const [whole] = await show(receipt, '--show-phone')
    expect(whole?.payment['phoneNumber']).toBe(phone)
    expect(JSON.parse(whole?.callbacks[0]?.body ?? '').Body.stkCallback.CheckoutRequestID).toBe(
      second.checkoutRequestId,
    )

    const { out } = await runMpesaStk(['payments', 'show', first.paymentId], environment)
    expect(out).toMatch(/^status +CANCELLED$/m)
    expect(out).toMatch(/^result +1032 /m)
    expect(out).toMatch(
      /^4 +\d{4}-\d\d-\d\d [\d:]{8} EAT \([\d:]{8} UTC\) +payment\.settled +callback +PENDING → CANCELLED +\S/m,
    )
    expect(out).not.toContain('712345678')
    const [absent, limited] = await Promise.all([
      runMpesaStkHere(['payments', 'show', '0799 999 999'], environment),
      runMpesaStkHere(['payments', 'show', 'INVOICE042', '--limit', '1', '--json'], environment),
    ])
    expect([absent.code, absent.err]).toEqual([3, expect.stringMatching(/^MPESA_STK_PAYMENT_NOT_FOUND(?!.*799)/)])
    expect((JSON.parse(limited.out) as readonly Story[]).map(({ payment }) => payment['amount'])).toEqual([200])
  }, 180_000)
})

test('without a store, or with one that cannot be read, it says what to do', async () => {
  const nowhere = join(newSqlitePath(), 'absent.db')
  const [unset, absent, empty, away] = await Promise.all([
    runMpesaStkHere(['payments', 'show', 'X']),
    runMpesaStkHere(['payments', 'show', 'X', '--file', nowhere]),
    runMpesaStkHere(['payments', 'show', 'X', '--limit', 'all']),
    runMpesaStkHere(['payments', 'show', 'X'], { DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/x' }),
  ])
  expect([unset.code, unset.err]).toEqual([2, expect.stringMatching(/DATABASE_URL.*--file.*MPESA_STORE_FILE/)])
  expect([absent.code, absent.err]).toEqual([2, expect.stringContaining(nowhere)])
  expect(empty.code).toBe(2)
  expect([away.code, away.err]).toEqual([5, expect.stringMatching(/^MPESA_STK_STORE_UNREACHABLE: (?!.*hunter2)/)])
}, 120_000)
