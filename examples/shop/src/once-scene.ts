import type { Logger } from 'mpesa-stk'
import type { ErrorAnswer } from './error-status.ts'
import { formatKes } from './money.ts'
import type { Shop } from './open-shop.ts'
import type { PaymentAnswer } from './payment-answer.ts'
import { callbackPath } from './shop-app.ts'
import type { TimelineRow } from './timeline.ts'

/** What the people in a scenario can do. The shop is used through its own doors, over HTTP. */
export type OnceScene = {
  /** The customer presses the button. Resolves when the push was answered. */
  pay(): Promise<PaymentAnswer>
  /** Presses it again, with the same idempotency key. */
  payAgain(): Promise<PaymentAnswer>
  /** The payment that a second press made, as it stands; null when there is none of its own. */
  secondAttempt(): Promise<PaymentAnswer | null>
  /** The payment of the first press, as it stands. */
  payment(): Promise<PaymentAnswer>
  /** Enters the right PIN in the prompt. */
  customerPays(): Promise<void>
  /** Posts a success that Safaricom never sent. */
  strangerForges(): Promise<void>
  /** No result and no callback is still to come. */
  callbacksDone(): Promise<void>
  /** Waits until Safaricom was asked about the payment and has said how it ended. */
  askedSafaricom(): Promise<void>
  /** What each callback came to, in order. */
  callbacks(): readonly string[]
  /** How many pushes reached Safaricom, answered or not. */
  pushes(): number
  demand(isSo: boolean, sentence: string): void
}

type Note = Omit<TimelineRow, 'sinceStartMs'>

const phoneNumber = '0712 345 678'
const msisdn = '254712345678'

export type ScenePlay = {
  readonly scene: OnceScene
  /** What happened that no audit trail tells of. */
  readonly notes: readonly Note[]
  /** Demands that were not met. */
  readonly problems: readonly string[]
}

export function createOnceScene(shop: Shop, heard: HeardCallbacks): ScenePlay {
  const { simulator } = shop
  const notes: Note[] = []
  const problems: string[] = []
  const idempotencyKey = crypto.randomUUID()
  let firstId = ''
  let secondId: string | null = null

  const note = (by: TimelineRow['by'], step: string, evidence: string) =>
    notes.push({ at: new Date().toISOString(), by, step, evidence })

  async function post(): Promise<PaymentAnswer> {
    const response = await fetch(`${shop.url}/api/payments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ phoneNumber, product: 'shuka', idempotencyKey }),
    })
    const answer = (await response.json()) as PaymentAnswer | ErrorAnswer
    if (!('error' in answer)) return answer
    const { paymentId, message } = answer.error
    if (paymentId === undefined) throw new Error(`the shop answered ${response.status}: ${message}`)
    return read(paymentId)
  }

  async function read(id: string): Promise<PaymentAnswer> {
    return (await (await fetch(`${shop.url}/api/payments/${id}`)).json()) as PaymentAnswer
  }

  const scene: OnceScene = {
    async pay() {
      const payment = await post()
      firstId = payment.id
      return payment
    },
    async payAgain() {
      note('customer', 'Pays again', 'with the same idempotency key')
      const payment = await post()
      if (payment.id !== firstId) secondId = payment.id
      const evidence =
        payment.id === firstId ? `the same payment, ${payment.status}` : `a new payment, ${payment.status}`
      note('shop', 'Answers', `${evidence}; pushes so far: ${scene.pushes()}`)
      return payment
    },
    payment: () => read(firstId),
    secondAttempt: async () => (secondId === null ? null : read(secondId)),
    async customerPays() {
      await simulator.waitForTransaction(({ state }) => state === 'prompting')
      note('customer', 'Enters the PIN', formatKes((await scene.payment()).amount))
      simulator.respond(msisdn, 'approve')
      await simulator.idle()
    },
    async strangerForges() {
      const [push] = simulator.transactions()
      note('stranger', 'Posts a success', 'with the right CheckoutRequestID and amount, without the token')
      await fetch(`${shop.url}${callbackPath}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(forgedSuccess(push?.checkoutRequestId ?? '', push?.amount ?? 0)),
      })
    },
    callbacksDone: () => simulator.idle(),
    async askedSafaricom() {
      const [push] = simulator.transactions()
      await shop.mpesa.pollPaymentStatus(push?.checkoutRequestId ?? '')
      await shop.mpesa.idle()
    },
    callbacks: () => heard.map(({ outcome }) => outcome),
    pushes: () => simulator.requests().filter(({ path }) => path.endsWith('/processrequest')).length,
    demand(isSo, sentence) {
      if (!isSo) problems.push(sentence)
    },
  }
  return { scene, notes, problems }
}

export type HeardCallbacks = { readonly at: string; readonly outcome: string }[]

/** A log that keeps what each callback came to, and shows nothing: the timeline tells it. */
export function listenToCallbacks(heard: HeardCallbacks): Logger {
  const ignore = () => {}
  return {
    info({ outcome }, message) {
      if (message === 'callback') heard.push({ at: new Date().toISOString(), outcome: String(outcome) })
    },
    warn: ignore,
    error: ignore,
  }
}

function forgedSuccess(CheckoutRequestID: string, amount: number): object {
  const Item = [
    { Name: 'Amount', Value: amount },
    { Name: 'MpesaReceiptNumber', Value: 'FORGED0001' },
    { Name: 'TransactionDate', Value: 20260817101513 },
  ]
  const stkCallback = {
    MerchantRequestID: 'forged',
    CheckoutRequestID,
    ResultCode: 0,
    ResultDesc: 'The service request is processed successfully.',
    CallbackMetadata: { Item },
  }
  return { Body: { stkCallback } }
}
