import { createHash, createHmac } from 'node:crypto'
import { type Customer, checkoutRequestIdOf, wanjiku } from './customer.ts'
import { readParts } from './forge-token.ts'
import { PlainClient } from './plain-client.ts'
import type { StreamApp, StreamRelay } from './stream-floor.ts'

export const neighbour: Customer = { msisdn: '254798765432' }

/** All that a page can have: more than a good merchant gives it, and never what only his server has. */
export type Holdings = {
  readonly app: StreamApp
  readonly paymentId: string
  readonly checkoutRequestId: string
  /** For the payment that the library reported, and for one that nobody did. */
  readonly token: string
  readonly pushToken: string
  /** The streams that they name. */
  readonly streams: readonly string[]
  /** Every byte that it was ever sent: frames, answers, the page itself. */
  readonly heard: readonly string[]
  /** Every word of it, by where it is from. */
  readonly words: ReadonlyMap<string, string>
}

export const origin = 'https://shop.example'

/** A page whose customer has paid twice: once reported, once not. */
export async function holdAll(relay: StreamRelay, app: StreamApp): Promise<Holdings> {
  const paymentId = 'pay_mine'
  const checkoutRequestId = checkoutRequestIdOf(wanjiku)
  const unreported = checkoutRequestIdOf(wanjiku, '24112026101502999')
  await app.link.reportPending({ paymentId, checkoutRequestId, amount: 500 })
  const minted = await app.link.mintToken({ streams: [`payment:${paymentId}`], subject: 'session-1' })
  const ofPush = await app.link.mintToken({ streams: [], checkoutRequestIds: [unreported], subject: 'session-1' })
  const streams = [...minted.streams, ...ofPush.streams]
  const heard = [JSON.stringify(minted), JSON.stringify(ofPush)]
  heard.push(
    `<html><script>connectPayments(${JSON.stringify([relay.url, minted, ofPush, app.sourceId])})</script></html>`,
  )
  const sockets = [
    { token: minted.token, stream: streams[0] ?? '' },
    { token: ofPush.token, stream: streams[1] ?? '' },
  ]
  const live = await Promise.all(
    sockets.map(async ({ token, stream }) => {
      const client = await PlainClient.open(relay.url, { token }, { origin })
      client.send({ type: 'subscribe', id: 1, stream })
      await client.until(({ type }) => type === 'live')
      return client
    }),
  )
  await relay.pay(app, { checkoutRequestId, receipt: 'UHH0AB12C1' })
  await relay.pay(app, { checkoutRequestId: unreported, receipt: 'UHH0AB12C2' })
  const settled = { type: 'payment.settled', paymentId, checkoutRequestId, status: 'SUCCESS', receipt: 'UHH0AB12C1' }
  await fetch(`${relay.url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${app.signingSecret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ appId: app.appId, events: [settled] }),
  })
  for (const client of live) await client.until(({ type }) => type === 'event')
  await live[0]?.until(({ event }) => (event as { type: string } | undefined)?.type === 'payment.settled')
  for (const client of live) {
    heard.push(...client.heard)
    client[Symbol.dispose]()
  }
  for (const { token, stream } of sockets) {
    const headers = { authorization: `Bearer ${token}`, origin }
    const polled = await fetch(`${relay.url}/v1/streams/${stream}/events?wait=0`, { headers })
    heard.push(JSON.stringify([...polled.headers]), await polled.text())
  }
  return {
    app,
    paymentId,
    checkoutRequestId,
    token: minted.token,
    pushToken: ofPush.token,
    streams,
    heard,
    words: wordsOf(app, heard, sockets),
  }
}

function wordsOf(
  { sourceId, streamSecret }: StreamApp,
  heard: readonly string[],
  sockets: readonly { token: string }[],
) {
  const words = new Map([
    ['sourceId', sourceId],
    ['streamSecret', streamSecret],
  ])
  for (const [index, { token }] of sockets.entries()) {
    words.set(`token ${index}`, token)
    for (const [part, text] of token.split('.').entries()) words.set(`part ${part} of token ${index}`, text)
    for (const part of readParts(token)) collect(part, `token ${index}`)
  }
  for (const text of heard) {
    try {
      collect(JSON.parse(text), 'heard')
    } catch {
      // The page itself, of which all else is known.
    }
  }
  for (const [what, word] of [...words].filter(([name]) => /Id$|Secret$|^signature|paymentId$/.test(name))) {
    words.set(`sha256 of ${what}`, createHash('sha256').update(word).digest('hex'))
    words.set(`sha256 of ${what} in base64url`, createHash('sha256').update(word).digest('base64url'))
    words.set(`${what} signed by the streamSecret`, createHmac('sha256', streamSecret).update(word).digest('base64url'))
    words.set(`the end of ${what}`, word.slice(word.lastIndexOf('_') + 1))
  }
  function collect(value: unknown, where: string): void {
    // Each once, and by the first place where it was found.
    if (typeof value === 'string' && value !== '' && ![...words.values()].includes(value)) words.set(where, value)
    else if (typeof value === 'object' && value !== null) {
      for (const [name, each] of Object.entries(value)) collect(each, `${where}.${name}`)
    }
  }
  return words
}
