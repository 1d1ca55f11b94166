import type { MpesaStk, Store } from 'mpesa-stk'
import { startDaraja } from '../instant-daraja.ts'
import type { Measurement } from '../measurement.ts'
import { measureInTurns } from './rounds.ts'
import { openShop, paidBody } from './shop.ts'

/** Pays: `initiate` makes payments, and each of `settle` settles one of those made since `forget`. */
export function createPayer(mpesa: MpesaStk): {
  forget(): Promise<void>
  initiate(): Promise<void>
  settle(index: number): Promise<void>
} {
  let bodies: string[] = []
  return {
    async forget() {
      bodies = []
    },
    async initiate() {
      const { checkoutRequestId = '' } = await mpesa.initiatePayment(nextRequest())
      bodies.push(paidBody(checkoutRequestId))
    },
    async settle(index) {
      const { outcome } = await mpesa.processCallback(bodies[index])
      if (outcome !== 'settled') throw new Error(`expected every callback to settle, got ${outcome}`)
    },
  }
}

/** Payments from their initiation to their settlement, beside `limit`: one row updated and committed in the same store. */
export async function measureSettling(
  store: Store,
  place: string,
  limit: { readonly name: string; readonly update: (index: number) => Promise<unknown> },
  { count, callers }: { readonly count: number; readonly callers: number },
): Promise<Measurement[]> {
  const daraja = await startDaraja()
  try {
    const { forget, initiate, settle } = createPayer(openShop(store, daraja.url))
    const rates = await measureInTurns(
      { limit: { work: limit.update }, initiated: { ready: forget, work: initiate }, settled: { work: settle } },
      { count, callers },
    )
    return [
      { name: limit.name, value: rates.limit, unit: 'per second' },
      { name: `${place}: callback settled`, value: rates.settled, unit: 'per second', shareOf: limit.name },
      { name: `${place}: payment initiated`, value: rates.initiated, unit: 'per second', note: 'pushed over HTTP' },
    ]
  } finally {
    daraja.close()
  }
}

let orders = 0

function nextRequest(): { phoneNumber: string; amount: number; accountReference: string; idempotencyKey: string } {
  const accountReference = `ORDER-${++orders}`
  return { phoneNumber: '0708374149', amount: 500, accountReference, idempotencyKey: accountReference }
}
