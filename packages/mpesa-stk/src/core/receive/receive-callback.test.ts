import { expect, test } from 'vitest'
import { MemoryAdapter } from '../../adapters/memory.ts'
import { commit, reserve, samplePayment, step } from '../../conformance/samples.ts'
import { sha256, systemClock } from '../../platform.ts'
import { receiveCallback } from './receive-callback.ts'

function successFor(CheckoutRequestID: string): Uint8Array {
  const Item = [
    { Name: 'Amount', Value: 500 },
    { Name: 'MpesaReceiptNumber', Value: 'UHH0AB12CD' },
  ]
  const stkCallback = { CheckoutRequestID, ResultCode: 0, ResultDesc: 'ok', CallbackMetadata: { Item } }
  return new TextEncoder().encode(JSON.stringify({ Body: { stkCallback } }))
}

test('a callback is settled when its push is accepted between looking for the payment and parking', async () => {
  const store = new MemoryAdapter()
  const sent = await commit(store, step(await reserve(store), { state: 'sent' }))
  const payment = samplePayment(sent)
  const { recordCallback } = store
  store.recordCallback = async record => {
    const result = await recordCallback.call(store, record)
    if (record.disposition === 'parked') await commit(store, step(sent, { state: 'accepted', payment }))
    return result
  }
  const ports = { store, clock: systemClock, digest: sha256 }
  const { processed, settled } = await receiveCallback(ports, successFor(payment.checkoutRequestId), null)
  expect(processed).toMatchObject({ outcome: 'settled', status: 'SUCCESS', receipt: 'UHH0AB12CD' })
  expect(settled?.payment.id).toBe(payment.id)
  expect(await store.findParkedCallbacks(payment)).toEqual([])
})

test('a store that changes under every attempt is an error that asks for the callback again', async () => {
  const store = new MemoryAdapter()
  const sent = await commit(store, step(await reserve(store), { state: 'sent' }))
  const record = await commit(store, step(sent, { state: 'accepted', payment: samplePayment(sent) }))
  let attempts = 0
  store.commitTransition = async () => {
    attempts++
    return { outcome: 'conflict', record }
  }
  const ports = { store, clock: systemClock, digest: sha256 }
  const receiving = receiveCallback(ports, successFor(record.payment?.checkoutRequestId ?? ''), null)
  await expect(receiving).rejects.toMatchObject({ code: 'MPESA_STK_STORE_CONTENDED' })
  expect(attempts).toBe(10)
})
