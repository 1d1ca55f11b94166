import type { ErrorAnswer } from './error-status.ts'
import { formatKes } from './money.ts'
import { forgedSuccess } from './once-forgery.ts'
import type { CallbackListener } from './once-listener.ts'
import { type RelayedEvent, readRelayedEvents } from './once-relayed.ts'
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
  /** Posts a success that Safaricom never sent to the hook at the relay, which he has found out. */
  strangerForges(): Promise<void>
  /** Posts it to the shop itself. Resolves with the HTTP status. */
  strangerForgesAtShop(): Promise<number>
  /** From now on the shop answers no delivery. */
  shopGoesDown(): void
  /** It answers again. Resolves when it has been told what it missed. */
  shopIsBack(): Promise<void>
  /** No result, no callback and no delivery is still to come. */
  callbacksDone(): Promise<void>
  /** Waits until Safaricom was asked about the payment and has said how it ended. */
  askedSafaricom(): Promise<void>
  /** What each callback came to that the shop was told of, in order. */
  callbacks(): readonly string[]
  /** What the relay has stored, oldest first. */
  relayed(): Promise<readonly RelayedEvent[]>
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

export function createOnceScene(shop: Shop, listener: CallbackListener): ScenePlay {
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

  async function forge(url: string): Promise<number> {
    const [push] = simulator.transactions()
    const body = JSON.stringify(forgedSuccess(push?.checkoutRequestId ?? '', push?.amount ?? 0))
    return (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status
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
      await shop.settled()
    },
    async strangerForges() {
      note('stranger', 'Posts a success', 'to the relay: the right CheckoutRequestID and amount, without the token')
      await forge(`${shop.relay.url}${shop.relayApp.hookUrl}`)
      await shop.settled()
    },
    async strangerForgesAtShop() {
      const status = await forge(`${shop.url}${callbackPath}`)
      note('stranger', 'Posts to the shop', `the same, unsigned: answered ${status}`)
      return status
    },
    shopGoesDown() {
      note('shop', 'Goes down', 'whatever is delivered is answered 503')
      shop.setDown(true)
    },
    async shopIsBack() {
      const told = listener.next()
      note('shop', 'Is back', 'and has missed a callback')
      shop.setDown(false)
      await told
      await shop.settled()
    },
    callbacksDone: () => shop.settled(),
    async askedSafaricom() {
      const [push] = simulator.transactions()
      await shop.mpesa.pollPaymentStatus(push?.checkoutRequestId ?? '')
      await shop.mpesa.idle()
    },
    callbacks: () => listener.heard.map(({ outcome }) => outcome),
    relayed: () => readRelayedEvents(shop),
    pushes: () => simulator.requests().filter(({ path }) => path.endsWith('/processrequest')).length,
    demand(isSo, sentence) {
      if (!isSo) problems.push(sentence)
    },
  }
  return { scene, notes, problems }
}
