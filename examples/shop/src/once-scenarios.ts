import type { PaymentView } from 'mpesa-stk'
import type { ScenarioInput } from 'mpesa-stk-simulator'
import type { OnceScene } from './once-scene.ts'

/** One payment that `--once` can show, and how it must end. */
export type OnceScenario = {
  readonly name: string
  readonly about: string
  readonly expected: PaymentView['status']
  /** What the simulator does with each push, in order. */
  readonly simulator: readonly ScenarioInput[]
  /** How soon Safaricom is asked where no callback comes. Default: the library's. */
  readonly pollIntervalMs?: number
  /** What happens, where it is more than paying and waiting. */
  readonly play?: (scene: OnceScene) => Promise<void>
  /** What a shop does about such a payment, where that is not plain. */
  readonly advice?: string
}

export const onceScenarios: readonly OnceScenario[] = [
  { name: 'paid', about: 'the customer pays', expected: 'SUCCESS', simulator: [{ outcome: 'paid' }] },
  { name: 'cancelled', about: 'closes the prompt', expected: 'CANCELLED', simulator: [{ outcome: 'cancelled' }] },
  { name: 'wrong-pin', about: 'types a wrong PIN', expected: 'FAILED', simulator: [{ outcome: 'wrong-pin' }] },
  {
    name: 'insufficient-funds',
    about: 'has too little money',
    expected: 'FAILED',
    simulator: [{ outcome: 'insufficient-funds' }],
  },
  { name: 'unreachable', about: 'has the phone off', expected: 'TIMEOUT', simulator: [{ outcome: 'unreachable' }] },
  { name: 'expired', about: 'the request runs out of time', expected: 'EXPIRED', simulator: [{ outcome: 'expired' }] },
  { name: 'busy', about: 'the phone is in another payment', expected: 'FAILED', simulator: [{ outcome: 'busy' }] },
  {
    name: 'limit-rule',
    about: 'the same amount within two minutes',
    expected: 'FAILED',
    simulator: [{ outcome: 'limit-rule' }],
  },
  {
    name: 'wrong-till',
    about: 'the shop is set up wrongly',
    expected: 'FAILED',
    simulator: [{ outcome: 'wrong-till' }],
  },
  {
    name: 'duplicate-callbacks',
    about: 'Safaricom says it three times; the shop hears it once',
    expected: 'SUCCESS',
    simulator: [{ outcome: 'paid', callbackCopies: 3 }],
    async play(scene) {
      await scene.pay()
      await scene.callbacksDone()
      const stored = (await scene.relayed()).map(({ copies }) => copies)
      scene.demand(stored.join() === '3', 'the relay must have one event that stands for three copies')
      scene.demand(scene.callbacks().join() === 'settled', 'the shop must be told once, and settle')
      scene.demand((await scene.payment()).isPacked, 'the order must be packed')
    },
  },
  {
    name: 'callback-lost',
    about: 'the callback never comes; the shop asks Safaricom',
    expected: 'SUCCESS',
    simulator: [{ outcome: 'paid', callbackLost: true }],
    // A tenth of the library's, so that it is not waited for long.
    pollIntervalMs: 500,
    advice: 'an answer to a query carries no receipt: it is added when a callback, or your statement, brings it',
    async play(scene) {
      await scene.pay()
      await scene.callbacksDone()
      scene.demand((await scene.payment()).status === 'PENDING', 'it must be pending while nothing is known')
      await scene.askedSafaricom()
      scene.demand((await scene.payment()).isPacked, 'the order must be packed')
    },
  },
  {
    name: 'callback-before-ack',
    about: 'the result is faster than the answer to the push',
    expected: 'SUCCESS',
    // Whether the relay brings it to the shop before the push is answered is a race: only the end counts.
    simulator: [{ outcome: 'paid', callbackBeforeAck: true }],
  },
  {
    name: 'ack-lost',
    about: "Safaricom's answer is lost; its callback heals it",
    expected: 'SUCCESS',
    simulator: [{ ackLost: true }],
    async play(scene) {
      const { status } = await scene.pay()
      scene.demand(status === 'UNKNOWN', 'it must be unknown while nothing is known')
      await scene.customerPays()
    },
  },
  {
    name: 'refused',
    about: 'Safaricom refuses the push; the key is free again',
    expected: 'REFUSED',
    simulator: [{ ackError: '429' }, {}],
    advice: 'nobody was prompted, so the key is free again: the same order may simply be paid again',
    async play(scene) {
      await scene.pay()
      const again = await scene.payAgain()
      scene.demand(again.status === 'PENDING', 'the same key must push again after a refusal')
      await scene.customerPays()
      scene.demand((await scene.secondAttempt())?.status === 'SUCCESS', 'the second attempt must be paid')
    },
  },
  {
    name: 'unknown',
    about: 'answer and callback are lost; nothing is pushed twice',
    expected: 'UNKNOWN',
    simulator: [{ outcome: 'paid', ackLost: true, callbackLost: true }],
    advice: "do not offer to pay again; Safaricom's callback resolves it, or else your M-PESA statement does",
    async play(scene) {
      const first = await scene.pay()
      await scene.callbacksDone()
      const again = await scene.payAgain()
      scene.demand(again.id === first.id, 'the same key must give the same payment')
      scene.demand(scene.pushes() === 1, 'there must be one push')
    },
  },
  {
    name: 'forged-callback',
    about: 'a stranger says it is paid; only the real callback counts',
    expected: 'SUCCESS',
    simulator: [{}],
    async play(scene) {
      await scene.pay()
      await scene.strangerForges()
      const { status } = await scene.payment()
      scene.demand(status === 'PENDING', 'a callback without the token must settle nothing')
      const answered = await scene.strangerForgesAtShop()
      scene.demand(answered === 401, 'a delivery that the relay did not sign must be refused with 401')
      await scene.customerPays()
      const delivered = (await scene.relayed()).map(({ status }) => status)
      scene.demand(delivered.join() === 'DELIVERED,DELIVERED', 'the relay must deliver both')
    },
  },
  {
    name: 'shop-down',
    about: 'the shop is down; the relay keeps the callback for it',
    expected: 'SUCCESS',
    simulator: [{}],
    async play(scene) {
      await scene.pay()
      scene.shopGoesDown()
      await scene.customerPays()
      const [missed] = await scene.relayed()
      scene.demand(missed?.status === 'FAILED', 'the relay must keep what the shop did not take')
      scene.demand((await scene.payment()).status === 'PENDING', 'the shop must know nothing of it yet')
      await scene.shopIsBack()
      scene.demand((await scene.relayed())[0]?.status === 'DELIVERED', 'the relay must deliver it in the end')
      scene.demand((await scene.payment()).isPacked, 'the order must be packed')
    },
  },
]
