import type { CallbackSender } from './callbacks/callback-sender.ts'
import { stkCallbackBody } from './callbacks/stk-callback-body.ts'
import { decideResult } from './decide-result.ts'
import { createDeferred } from './deferred.ts'
import type { IdMint } from './ids.ts'
import type { Latency } from './latency.ts'
import type { SimulatorSettings } from './options.ts'
import { describeResult } from './outcomes.ts'
import type { Scenario } from './scenario.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { Signals } from './signals.ts'
import { promptText, type StkPush } from './stk-push-request.ts'
import type { Timers } from './timers.ts'
import { isOpen, type LiveTransaction, snapshot } from './transaction.ts'
import { breaksTwoMinuteRule, type TransactionBook } from './transaction-book.ts'
import type { UnfinishedWork } from './unfinished-work.ts'

/** What a person does with the prompt. `ignore` lets it time out, even where unattended prompts are approved. */
export const handsetActions = ['approve', 'cancel', 'wrong-pin', 'ignore'] as const
export type HandsetAction = (typeof handsetActions)[number]

/** The life of a payment after its push was accepted: prompt, answer, result, callbacks. */
export interface PaymentFlow {
  /** Queues the push: from here on it exists, whatever becomes of the HTTP answer. */
  accept(push: StkPush, scenario: Scenario, busy: boolean): LiveTransaction
  /** Lets it run: called once the HTTP answer is away (or before it, if the scenario wants the callback first). */
  start(transaction: LiveTransaction): void
  /** The newest prompt that waits on a phone. */
  livePrompt(msisdn: string): LiveTransaction | undefined
  answer(transaction: LiveTransaction, action: HandsetAction): void
}

export interface PaymentFlowParts {
  readonly settings: SimulatorSettings
  readonly ids: IdMint
  readonly random: SeededRandom
  readonly latency: Latency
  readonly timers: Timers
  readonly book: TransactionBook
  readonly sender: CallbackSender
  readonly signals: Signals
  readonly work: UnfinishedWork
}

export function createPaymentFlow(parts: PaymentFlowParts): PaymentFlow {
  const { settings, ids, latency, timers, book, sender, signals, work } = parts
  const wording = parts.random.fork('wording')

  const isCurrent = (transaction: LiveTransaction) => book.find(transaction.checkoutRequestId) === transaction

  function showPrompt(transaction: LiveTransaction): void {
    transaction.state = 'prompting'
    const { autoApproveMs, promptTimeoutMs } = settings
    const cancelTimeout = timers.after(promptTimeoutMs, () => timeOut(transaction))
    const cancelApproval =
      autoApproveMs === undefined ? () => {} : timers.after(autoApproveMs, () => flow.answer(transaction, 'approve'))
    transaction.cancelPromptTimers = () => {
      cancelTimeout()
      cancelApproval()
    }
    // A prompt that waits for a person may wait for ever: nobody who awaits silence should wait for it.
    if (autoApproveMs === undefined) work.finish(transaction)
    signals.emit({ type: 'prompt-shown', transaction: snapshot(transaction) })
  }

  function timeOut(transaction: LiveTransaction): void {
    work.begin(transaction)
    settle(transaction, '1037')
  }

  /** The result after `naturalMs`, the callback after `callbackDelayMs` if the scenario names one. */
  function settleLater(transaction: LiveTransaction, resultCode: string, naturalMs: number): void {
    transaction.state = 'processing'
    const callbackMs = transaction.scenario.callbackDelayMs ?? naturalMs
    const settleMs = Math.min(naturalMs, callbackMs)
    timers.after(settleMs, () => settle(transaction, resultCode, callbackMs - settleMs))
  }

  function settle(transaction: LiveTransaction, resultCode: string, callbackAfterMs = 0): void {
    if (!isOpen(transaction)) return
    transaction.cancelPromptTimers()
    const paid = resultCode === '0'
    const settledAtMs = settings.now()
    transaction.state = paid ? 'paid' : 'failed'
    transaction.resultCode = resultCode
    transaction.resultDesc = describeResult(resultCode, wording)
    transaction.settledAtMs = settledAtMs
    transaction.settledAt = new Date(settledAtMs).toISOString()
    if (paid) transaction.receipt = ids.receipt(settledAtMs)
    signals.emit({ type: 'transaction-settled', transaction: snapshot(transaction) })
    timers.after(callbackAfterMs, () => sendCallbacks(transaction))
  }

  function sendCallbacks(transaction: LiveTransaction): void {
    const { scenario } = transaction
    const body = stkCallbackBody(transaction)
    transaction.callbackBody = body
    if (scenario.callbackLost) {
      signals.emit({ type: 'callback-lost', transaction: snapshot(transaction) })
      transaction.firstCallbacks.resolve()
      work.finish(transaction)
      return
    }
    const delivery = sender.send({
      url: transaction.callbackUrl,
      body,
      copies: scenario.callbackCopies ?? 1,
      retryPolicy: scenario.callbackRetryPolicy ?? settings.callbackRetryPolicy,
      onAttempt(attempt) {
        transaction.callbackAttempts.push(attempt)
        signals.emit({ type: 'callback-attempted', transaction: snapshot(transaction), attempt })
      },
    })
    void delivery.firstTries.then(transaction.firstCallbacks.resolve)
    void delivery.finished.then(() => work.finish(transaction))
  }

  const flow: PaymentFlow = {
    accept(push, scenario, busy) {
      const acceptedAtMs = settings.now()
      const transaction: LiveTransaction = {
        ...push,
        merchantRequestId: ids.merchantRequestId(),
        checkoutRequestId: ids.checkoutRequestId(push.msisdn),
        state: 'queued',
        acceptedAt: new Date(acceptedAtMs).toISOString(),
        acceptedAtMs,
        promptText: promptText(push),
        callbackLost: scenario.callbackLost ?? false,
        callbackAttempts: [],
        scenario,
        decision: decideResult(push, scenario, {
          mode: settings.mode,
          busy,
          repeatsWithinTwoMinutes: settings.twoMinuteRule && breaksTwoMinuteRule(book, push, acceptedAtMs),
        }),
        firstCallbacks: createDeferred(),
        queryAnswersUsed: 0,
        queriesWhileOpen: 0,
        cancelPromptTimers: () => {},
      }
      book.add(transaction)
      work.begin(transaction)
      signals.emit({ type: 'push-accepted', transaction: snapshot(transaction) })
      return transaction
    },

    start(transaction) {
      // A reset while the answer was held back has already forgotten this push.
      if (transaction.state !== 'queued' || !isCurrent(transaction)) return
      const { decision } = transaction
      switch (decision.by) {
        case 'simulator':
          // An answer that waits for its callback waits for that alone, or no client would be there to hear it.
          return settleLater(
            transaction,
            decision.resultCode,
            transaction.scenario.callbackBeforeAck ? 0 : latency.settleMs(decision.pace),
          )
        case 'person':
          return showPrompt(transaction)
        case 'nobody':
          transaction.state = 'pending'
          transaction.firstCallbacks.resolve()
          return work.finish(transaction)
      }
    },

    livePrompt: msisdn => book.onPhone(msisdn).findLast(transaction => transaction.state === 'prompting'),

    answer(transaction, action) {
      if (transaction.state !== 'prompting') return
      if (action === 'ignore') {
        // Only the approval is called off; the prompt goes on to its timeout.
        transaction.cancelPromptTimers()
        const leftMs = settings.promptTimeoutMs - (settings.now() - transaction.acceptedAtMs)
        transaction.cancelPromptTimers = timers.after(Math.max(1, leftMs), () => timeOut(transaction))
        work.finish(transaction)
        return
      }
      transaction.cancelPromptTimers()
      work.begin(transaction)
      settleLater(transaction, handsetResults[action], latency.answerMs())
      signals.emit({ type: 'prompt-answered', transaction: snapshot(transaction) })
    },
  }
  return flow
}

const handsetResults = { approve: '0', cancel: '1032', 'wrong-pin': '2001' } as const
