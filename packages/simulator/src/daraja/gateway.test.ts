import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSimulator, type Simulator } from '../simulator.ts'
import { answerOf, type Merchant, openMerchant, pushFields, pushPath } from '../testing/merchant.ts'

let simulator: Simulator
let merchant: Merchant
beforeEach(async () => {
  simulator = await createSimulator({ seed: 1 })
  merchant = await openMerchant(simulator, 'http://127.0.0.1:1/')
})
afterEach(() => simulator.close())

const call = async (path: string, init: RequestInit) => {
  const { status, json } = await answerOf(await fetch(simulator.url + path, init))
  return [status, json['errorCode'], json['errorMessage']]
}
const jsonType = { 'content-type': 'application/json' }

describe('the gateway', () => {
  it('refuses a missing, a wrong and a malformed token', async () => {
    const init = { method: 'POST', body: '{}' }
    expect(await call(pushPath, { ...init, headers: jsonType })).toEqual([404, '404.001.03', 'Invalid Access Token'])
    const wrong = { ...jsonType, authorization: 'Bearer nonsense' }
    expect(await call(pushPath, { ...init, headers: wrong })).toEqual([404, '404.001.03', 'Invalid Access Token'])
    const basicHeader = { ...jsonType, authorization: 'Basic abc' }
    expect((await call(pushPath, { ...init, headers: basicHeader })).slice(0, 2)).toEqual([404, '404.001.04'])
  })

  it('refuses wrong methods and paths', async () => {
    const headers = { authorization: `Bearer ${merchant.token}` }
    expect((await call(pushPath, { headers })).slice(0, 2)).toEqual([404, '404.001.04'])
    expect((await call(pushPath, { method: 'PUT', headers })).slice(0, 2)).toEqual([405, '405.001'])
    expect((await call('/mpesa/stkpush/v2/processrequest', { method: 'POST', headers })).slice(0, 2)).toEqual([
      404,
      '404.001.01',
    ])
  })

  it('refuses malformed bodies', async () => {
    const headers = { ...jsonType, authorization: `Bearer ${merchant.token}` }
    for (const body of ['{"Amount":', '[]', '"text"', '', 'x'.repeat(300_000)])
      expect((await call(pushPath, { method: 'POST', headers, body })).slice(0, 2)).toEqual([400, '400.002.05'])
  })

  it('reads no field from a body that is not declared as JSON', async () => {
    const headers = { authorization: `Bearer ${merchant.token}`, 'content-type': 'application/x-www-form-urlencoded' }
    const body = JSON.stringify(pushFields('http://127.0.0.1:1/'))
    expect(await call(pushPath, { method: 'POST', headers, body })).toEqual([
      400,
      '400.002.02',
      'Bad Request - Invalid BusinessShortCode',
    ])
  })

  it('keeps what it received, without the token', async () => {
    await merchant.push({ Amount: 77 })
    const request = simulator.requests().at(-1)
    expect(request).toMatchObject({ method: 'POST', path: pushPath, headers: { authorization: 'Bearer ***' } })
    expect(JSON.parse(request?.body ?? '')).toMatchObject({ Amount: 77 })
    expect(JSON.stringify(simulator.requests())).not.toContain(merchant.token)
  })
})
