import { appMark } from '../core/deliver/app-mark.ts'
import { type C2bFallback, judgeValidation, type ValidationVerdict } from '../core/deliver/c2b-validation.ts'
import { prepareDelivery } from '../core/deliver/prepare-delivery.ts'
import { describeError } from '../core/errors.ts'
import type { Logger, Random } from '../core/ports.ts'
import { createTimeOrderedId } from '../core/time-ordered-id.ts'
import { createSender, type Sender } from '../outbound/send.ts'
import { sendTraced } from '../telemetry/relay-spans.ts'
import { withinDeadline } from '../workers/within-deadline.ts'
import type { AppBook, OpenedApp } from './app-book.ts'
import type { ReceivedBody } from './received-body.ts'

export type ValidatorPorts = { readonly apps: AppBook; readonly logger: Logger; readonly random: Random }

/** Safaricom waits for about eight seconds [documented]; of our six one is for the store, to say whose payment it is. */
const endpointDeadlineMs = 5_000
const storeDeadlineMs = 1_000
/** Whoever asks for more at once of one endpoint that is slow is answered by its fallback. */
const maxAsking = 64

/** Answers Safaricom's question whether a C2B payment may be made: as the merchant's endpoint does, or for it. */
export class Validator {
  readonly #ports: ValidatorPorts
  readonly #sender: Sender
  readonly #asking = new Map<string, number>()

  constructor(ports: ValidatorPorts, allowPrivateTargets: boolean) {
    this.#ports = ports
    this.#sender = createSender({ allowPrivateTargets, deadlineMs: endpointDeadlineMs })
  }

  /** No money has moved yet, so nothing is kept. Never rejects. */
  async validate(received: ReceivedBody): Promise<ValidationVerdict> {
    const { logger } = this.#ports
    const { appId } = received
    const app = appMark(appId)
    // The list is enforced, and a stranger asks, or Safaricom from an address that nobody has listed. A stranger learns nothing
    // of the merchant's accounts, and costs him no request. Of Safaricom it is refused whatever the fallback is: the confirmation
    // would come from there too, and be held back, and so the money would be taken and the merchant not told. A customer who is
    // refused has paid nothing.
    if (received.unknownSource !== null) return judgeValidation(null, 'reject')
    let fallback: C2bFallback = 'accept'
    try {
      const found = await this.#find(appId)
      if (found !== null) fallback = found.app.c2bFallback
      if (found === null || found.app.isDisabled || found.app.receives === 'alerts')
        return judgeValidation(null, fallback)
      const verdict = await this.#ask(found, received)
      logger.info({ app, resultCode: verdict.ResultCode }, 'a C2B validation was answered')
      return verdict
    } catch (cause) {
      logger.warn({ app, error: describeError(cause) }, 'a C2B validation was answered by the fallback of its app')
      return judgeValidation(null, fallback)
    }
  }

  close(): Promise<void> {
    return this.#sender.close()
  }

  /** As it was last seen, where the store is away. */
  async #find(appId: string): Promise<OpenedApp | null> {
    const { apps } = this.#ports
    try {
      return await withinDeadline(storeDeadlineMs, apps.open(appId))
    } catch (cause) {
      const seen = apps.lastSeen(appId)
      if (seen === null) throw cause
      return seen
    }
  }

  async #ask({ app, secrets }: OpenedApp, received: ReceivedBody): Promise<ValidationVerdict> {
    const { token, body, receivedAt, traceParent } = received
    const asking = this.#asking.get(app.appId) ?? 0
    if (asking >= maxAsking) return judgeValidation(null, app.c2bFallback)
    this.#asking.set(app.appId, asking + 1)
    try {
      const id = createTimeOrderedId(receivedAt, this.#ports.random(16))
      const event = { id, body, callbackToken: token, contradicts: null }
      const request = prepareDelivery(event, app, secrets, receivedAt, 'c2b-validation')
      const asked = { id, appId: app.appId, kind: 'c2b-validation', attemptCount: 0, traceParent }
      const answer = await sendTraced('ask about payment', this.#sender.send, request, asked)
      return judgeValidation(answer, app.c2bFallback)
    } finally {
      const left = (this.#asking.get(app.appId) ?? 1) - 1
      if (left > 0) this.#asking.set(app.appId, left)
      else this.#asking.delete(app.appId)
    }
  }
}
