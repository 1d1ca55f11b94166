import type { Store } from 'mpesa-stk'
import type { Measurement } from '../measurement.ts'
import { measureInTurns, type Round } from './rounds.ts'
import { createPayer } from './settling.ts'
import { openShop } from './shop.ts'

const count = 300

/** Settling a callback, and claiming and finishing the call that is due then: among a million payments, and among none. */
export async function compareWithEmpty(full: Store, empty: Store, baseUrl: string): Promise<Measurement[]> {
  const [inFull, inEmpty] = [roundsOf(full, baseUrl), roundsOf(empty, baseUrl)]
  const rates = await measureInTurns(
    { emptySettle: inEmpty.settle, fullSettle: inFull.settle, emptyWork: inEmpty.work, fullWork: inFull.work },
    { count, callers: 1 },
  )
  const settle = 'callback settled, no other payments'
  const work = 'due work claimed and finished, no other payments'
  return [
    { name: settle, value: rates.emptySettle, unit: 'per second' },
    { name: 'callback settled, a million others', value: rates.fullSettle, unit: 'per second', shareOf: settle },
    { name: work, value: rates.emptyWork, unit: 'per second' },
    {
      name: 'due work claimed and finished, a million others',
      value: rates.fullWork,
      unit: 'per second',
      shareOf: work,
    },
  ]
}

function roundsOf(store: Store, baseUrl: string): { readonly settle: Round; readonly work: Round } {
  const payer = createPayer(openShop(store, baseUrl))
  return {
    settle: {
      async ready() {
        await payer.forget()
        for (let index = 0; index < count; index++) await payer.initiate()
      },
      work: payer.settle,
    },
    // Every settlement has left a call that is due.
    work: { work: () => claimAndFinish(store) },
  }
}

async function claimAndFinish(store: Store): Promise<void> {
  const at = new Date()
  const [work] = await store.claimDue({ kinds: ['settled'], at, leaseMs: 60_000, leaseId: 'bench', limit: 1 })
  if (work === undefined) throw new Error('expected a call that is due, and there is none')
  await store.finishWork([{ id: work.id, leaseId: work.leaseId, outcome: 'done' }], at)
}
