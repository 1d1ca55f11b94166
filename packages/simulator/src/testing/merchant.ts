import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Simulator } from '../simulator.ts'

/** A merchant's listener for the tests: keeps what it gets, answers as told. */
export interface CallbackSink {
  readonly url: string
  /** Bodies as received, in order. */
  readonly bodies: readonly string[]
  /** Statuses of the next answers; then 200. */
  readonly statuses: number[]
  close(): Promise<void>
}

export async function openSink(onCallback: (body: string) => void | Promise<void> = () => {}): Promise<CallbackSink> {
  const bodies: string[] = []
  const statuses: number[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', chunk => {
      body += chunk
    })
    const answer = () => {
      response.writeHead(statuses.shift() ?? 200, {
        'content-type': 'application/json',
        location: 'http://127.0.0.1:1/',
      })
      response.end('{"ResultCode":0,"ResultDesc":"Success"}')
    }
    request.on('end', () => {
      bodies.push(body)
      void Promise.resolve(onCallback(body)).then(answer)
    })
  })
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`,
    bodies,
    statuses,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export interface Answer {
  readonly status: number
  readonly text: string
  readonly json: Readonly<Record<string, unknown>>
  readonly headers: Headers
}

/** A merchant's program, written as carelessly as they are: plain fetch and no retries. */
export interface Merchant {
  readonly token: string
  push(fields?: Record<string, unknown>, init?: RequestInit): Promise<Answer>
  query(checkoutRequestId: unknown, fields?: Record<string, unknown>): Promise<Answer>
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  let json: Record<string, unknown> = {}
  try {
    json = JSON.parse(text)
  } catch {
    // Not every answer is JSON; `text` says what it was.
  }
  return { status: response.status, text, json, headers: response.headers }
}

export const basic = (key: string, secret: string) => ({ authorization: `Basic ${btoa(`${key}:${secret}`)}` })
export const oauthPath = '/oauth/v1/generate?grant_type=client_credentials'
export const pushPath = '/mpesa/stkpush/v1/processrequest'
const queryPath = '/mpesa/stkpushquery/v1/query'

export function pushFields(callbackUrl: string, fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    BusinessShortCode: '174379',
    Password: btoa('174379passkey20261121000000'),
    Timestamp: '20261121000000',
    TransactionType: 'CustomerPayBillOnline',
    Amount: 500,
    PartyA: '254700000000',
    PartyB: '174379',
    PhoneNumber: '254700000000',
    CallBackURL: callbackUrl,
    AccountReference: 'INV-1',
    TransactionDesc: 'Invoice 1',
    ...fields,
  }
}

export async function openMerchant(simulator: Simulator, callbackUrl: string, key = 'key'): Promise<Merchant> {
  const granted = await answerOf(await fetch(simulator.url + oauthPath, { headers: basic(key, 'secret') }))
  const token = String(granted.json['access_token'])
  const post = async (path: string, body: unknown, init: RequestInit = {}) =>
    answerOf(
      await fetch(simulator.url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        ...init,
      }),
    )
  return {
    token,
    push: (fields, init) => post(pushPath, pushFields(callbackUrl, fields), init),
    query: (checkoutRequestId, fields = {}) => {
      const { BusinessShortCode, Password, Timestamp } = pushFields(callbackUrl)
      return post(queryPath, {
        BusinessShortCode,
        Password,
        Timestamp,
        CheckoutRequestID: checkoutRequestId,
        ...fields,
      })
    },
  }
}

/** The stkCallback member of a body. */
export function stkCallback(body: string | undefined): {
  readonly ResultCode: unknown
  readonly CheckoutRequestID: string
  readonly CallbackMetadata?: { readonly Item: readonly { readonly Name: string; readonly Value?: unknown }[] }
} {
  return JSON.parse(body ?? '').Body.stkCallback
}
