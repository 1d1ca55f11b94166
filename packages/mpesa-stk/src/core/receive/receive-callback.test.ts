import { expect, test } from 'vitest'
import { MemoryAdapter } from '../../adapters/memory.ts'
import { accepted, commit, reserve, samplePayment, step } from '../../conformance/samples.ts'
import { systemClock, systemRandom } from '../../platform.ts'
import { createPatientStore } from '../settle/patient-store.ts'
import { sha256 } from '../sha256.ts'
import { receiveCallback } from './receive-callback.ts'

function successFor(CheckoutRequestID: string, MerchantRequestID?: string): Uint8Array {
  const Item = [
    { Name: 'Amount', Value: 500 },
    { Name: 'MpesaReceiptNumber', Value: 'UHH0AB12CD' },
  ]
  const stkCallback = {
    CheckoutRequestID,
    MerchantRequestID,
    ResultCode: 0,
    ResultDesc: 'ok',
    CallbackMetadata: { Item },
  }
  return new TextEncoder().encode(JSON.stringify({ Body: { stkCallback } }))
}

const silent = { info() {}, warn() {}, error() {} }
const portsFor = (store: MemoryAdapter) => ({
  store,
  clock: systemClock,
  random: systemRandom,
  logger: silent,
  fingerprint: (value: string) => `hash of ${value}`,
  confirmSuccess: 'never' as const,
})

test('a callback is settled when its push is accepted between looking for the payment and parking', async () => {
  const store = new MemoryAdapter()
  const sent = await commit(store, step(await reserve(store), { state: 'sent' }))
  const payment = samplePayment(sent)
  const { parkCallback } = store
  store.parkCallback = async callback => {
    await commit(store, step(sent, { state: 'accepted', payment }))
    return parkCallback.call(store, callback)
  }
  const { processed, settled } = await receiveCallback(portsFor(store), successFor(payment.checkoutRequestId), null)
  expect(processed).toMatchObject({ outcome: 'settled', status: 'SUCCESS', receipt: 'UHH0AB12CD' })
  expect(settled?.id).toBe(payment.id)
  expect(await store.findStrandedCallbacks(10)).toEqual([])
})

test('a payment does not swallow the callback of a neighbour with the same MerchantRequestID', async () => {
  const store = new MemoryAdapter()
  const record = await accepted(store)
  const merchantRequestId = record.payment?.merchantRequestId ?? ''
  const { processed } = await receiveCallback(portsFor(store), successFor('ws_CO_neighbour', merchantRequestId), null)
  expect(processed).toMatchObject({ outcome: 'parked', paymentId: null })
})

test('a callback with the right token that cannot be read is kept with its payment', async () => {
  const store = new MemoryAdapter()
  const sent = await commit(
    store,
    step(await reserve(store), { state: 'sent', initiation: { tokenHash: sha256('the-token') } }),
  )
  const { processed } = await receiveCallback(portsFor(store), new TextEncoder().encode('{}'), 'the-token')
  expect(processed).toMatchObject({ outcome: 'unrecognised', paymentId: sent.initiation.paymentId })
})

test('a settlement whose acknowledgement was lost is announced all the same', async () => {
  const store = new MemoryAdapter()
  const record = await accepted(store)
  const { commitTransition } = store
  let isFirst = true
  store.commitTransition = async transition => {
    const outcome = await commitTransition.call(store, transition)
    if (!isFirst) return outcome
    isFirst = false
    throw new Error('connection lost after COMMIT')
  }
  const clock = { ...systemClock, sleep: async () => {} }
  const ports = { ...portsFor(store), store: createPatientStore(store, clock, silent) }
  const { processed, settled } = await receiveCallback(ports, successFor(record.payment?.checkoutRequestId ?? ''), null)
  expect(processed).toMatchObject({ outcome: 'settled', isDuplicate: false, status: 'SUCCESS' })
  expect(settled?.status).toBe('SUCCESS')
})

test('a store that changes under every attempt is an error that asks for the callback again', async () => {
  const store = new MemoryAdapter()
  const record = await accepted(store)
  let attempts = 0
  store.commitTransition = async () => {
    attempts++
    return { outcome: 'conflict', record }
  }
  const receiving = receiveCallback(portsFor(store), successFor(record.payment?.checkoutRequestId ?? ''), null)
  await expect(receiving).rejects.toMatchObject({ code: 'MPESA_STK_STORE_CONTENDED' })
  expect(attempts).toBe(10)
})
