import { describe, expect, test, vi } from 'vitest'
import type { Payment } from '../core/payment/payment.ts'
import { connectRelay } from './connect-relay.ts'

type Asked = { readonly path: string; readonly headers: Headers; readonly body: unknown }

/** A relay that answers each request with the next of these; a function throws what a broken network would. */
function openLink(...answers: readonly (Response | (() => never))[]) {
  const asked: Asked[] = []
  const warnings: unknown[] = []
  const link = connectRelay({
    url: 'https://relay.test/',
    appId: 'app-1',
    signingSecret: 'the signing secret',
    logger: { info() {}, error() {}, warn: fields => void warnings.push(fields) },
    fetch: async (url, init) => {
      const next = answers[asked.length]
      asked.push({
        path: url as string,
        headers: new Headers(init?.headers),
        body: JSON.parse(init?.body as string),
      })
      if (next === undefined) throw new Error('asked too often')
      return typeof next === 'function' ? next() : next
    },
  })
  return { link, asked, warnings }
}

const accepted = (): Response => Response.json({ accepted: 1, repeats: 0 })
const offline = (): never => {
  throw new TypeError('fetch failed')
}
const away = (): Response =>
  Response.json(
    { error: { code: 'MPESA_STK_RELAY_UNAVAILABLE', message: 'the store does not answer' } },
    { status: 503 },
  )
const pending = { paymentId: 'pay-1', checkoutRequestId: 'ws_CO_1', amount: 500 }
const payment: Payment = {
  id: 'pay-1',
  checkoutRequestId: 'ws_CO_1',
  merchantRequestId: 'm-1',
  phoneNumber: '254712345678',
  amount: 500,
  accountReference: 'ORDER-1',
  status: 'SUCCESS',
  mpesaReceiptNumber: 'NLJ7RT61SV',
  failureReason: null,
  resultCode: 0,
  resultCodeText: '0',
  initiatedAt: new Date(0),
  completedAt: new Date(0),
  idempotencyKey: null,
  version: 2,
}

test('a pending payment is reported with what its pages need, by the secret of the app', async () => {
  const { link, asked } = openLink(accepted())
  expect(await link.reportPending(pending)).toEqual({ outcome: 'reported' })
  expect(asked).toMatchObject([
    {
      path: 'https://relay.test/v1/events',
      body: { appId: 'app-1', events: [{ type: 'payment.pending', ...pending }] },
    },
  ])
  expect(asked[0]?.headers.get('authorization')).toBe('Bearer the signing secret')
})

test('a settled payment is reported without the number of the customer', async () => {
  const { link, asked } = openLink(accepted())
  await link.reportSettled(payment)
  const event = {
    type: 'payment.settled',
    paymentId: 'pay-1',
    checkoutRequestId: 'ws_CO_1',
    status: 'SUCCESS',
    amount: 500,
  }
  expect(asked[0]?.body).toEqual({
    appId: 'app-1',
    events: [{ ...event, receipt: 'NLJ7RT61SV', resultCode: '0' }],
  })
})

test('one whose push nobody knows names no push', async () => {
  const { link, asked } = openLink(accepted())
  await link.reportSettled({ ...payment, checkoutRequestId: 'unknown:pay-1' })
  expect(JSON.stringify(asked[0]?.body)).not.toContain('unknown:')
})

describe('a relay that is away', () => {
  test('is asked again for a pending payment', async () => {
    const { link, asked } = openLink(offline, away(), accepted())
    expect(await link.reportPending(pending)).toEqual({ outcome: 'reported' })
    expect(asked).toHaveLength(3)
  })

  test('costs a customer nothing: the report failed, and is logged without a secret', async () => {
    const { link, warnings } = openLink(offline, offline, offline)
    expect(await link.reportPending(pending)).toMatchObject({
      outcome: 'failed',
      error: { code: 'MPESA_STK_RELAY_UNREACHABLE' },
    })
    expect(warnings).toHaveLength(1)
    expect(JSON.stringify(warnings)).not.toMatch(/ws_CO_1|signing secret/)
  })

  test('is not waited for behind the one deadline of all attempts, in an attempt or between two', async () => {
    const deadline = new AbortController()
    using timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(deadline.signal)
    const signals: unknown[] = []
    const link = connectRelay({
      url: 'https://relay.test/',
      appId: 'app-1',
      signingSecret: 'the signing secret',
      logger: { info() {}, error() {}, warn() {} },
      fetch: async (_url, init) => {
        signals.push(init?.signal)
        if (signals.length === 2) deadline.abort()
        return offline()
      },
    })
    expect(await link.reportPending(pending)).toMatchObject({ outcome: 'failed' })
    expect(timeout).toHaveBeenCalledTimes(1)
    expect(signals).toEqual([deadline.signal, deadline.signal])
  })

  test('makes the handler of a settlement fail, which is called again', async () => {
    const { link } = openLink(away())
    await expect(link.reportSettled(payment)).rejects.toMatchObject({ code: 'MPESA_STK_RELAY_UNAVAILABLE' })
  })
})

test('what a relay refuses for good is not asked again', async () => {
  const error = { code: 'MPESA_STK_RELAY_UNAUTHORISED', message: 'send the secret' }
  const { link, asked } = openLink(Response.json({ error }, { status: 401 }))
  expect(await link.reportPending(pending)).toMatchObject({ outcome: 'failed', error })
  expect(asked).toHaveLength(1)
})

test.each([
  ['a page of somebody else', new Response('<html>', { status: 200 })],
  ['half an answer', new Response('{"token":"ey', { status: 201 })],
])('%s is no token', async (_what, answer) => {
  const { link } = openLink(answer)
  await expect(link.mintToken({ streams: ['source'] })).rejects.toMatchObject({ code: 'MPESA_STK_RELAY_UNREACHABLE' })
})

test('tokens are minted and taken back for the app', async () => {
  const token = { token: 'ey', ttlMs: 600_000, tokenId: 't-1', streams: ['payment:pay-1'] }
  const { link, asked } = openLink(Response.json(token, { status: 201 }), Response.json({}))
  expect(await link.mintToken({ streams: ['payment:pay-1'], subject: 's' })).toEqual(token)
  await link.revokeTokens({ subject: 's' })
  expect(asked.map(({ path, body }) => [path, body])).toEqual([
    ['https://relay.test/v1/tokens', { appId: 'app-1', streams: ['payment:pay-1'], subject: 's' }],
    ['https://relay.test/v1/tokens/revoke', { appId: 'app-1', subject: 's' }],
  ])
})

test('an address that is none is refused at once', () => {
  expect(() => connectRelay({ url: 'relay.test', appId: 'a', signingSecret: 's' })).toThrow(
    expect.objectContaining({ code: 'MPESA_STK_CONFIG_INVALID' }),
  )
})
