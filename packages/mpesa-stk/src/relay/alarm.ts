import { type Alert, alertKey, createAlert, describeAlert, toAlertEvent } from '../core/deliver/alert-event.ts'
import { type AlertType, alerts, type RaiseAlert } from '../core/deliver/alerts.ts'
import { appMark } from '../core/deliver/app-mark.ts'
import type { AttemptAnswer } from '../core/deliver/judge-attempt.ts'
import { type OutboundRequest, prepareDelivery } from '../core/deliver/prepare-delivery.ts'
import type { RelayApp } from '../core/deliver/relay-app.ts'
import type { NewRelayEvent } from '../core/deliver/relay-event.ts'
import { describeError } from '../core/errors.ts'
import type { Clock, Logger } from '../core/ports.ts'
import { withinDeadline } from '../workers/within-deadline.ts'
import type { AppBook } from './app-book.ts'
import { storeDeadlineMs } from './bounded-storage.ts'

export type AlarmPorts = {
  readonly apps: AppBook
  /** Records events, and hands them to whoever delivers. */
  readonly record: (events: readonly NewRelayEvent[]) => Promise<unknown>
  readonly send: (request: OutboundRequest) => Promise<AttemptAnswer>
  readonly clock: Clock
  readonly logger: Logger
  readonly onAlert: (type: AlertType) => void
}

type Waiting = { readonly alert: Alert; isSent: boolean }

const maxRemembered = 10_000
const maxWaiting = 1_000
const recordedAtOnce = 32
/** An endpoint that hangs holds each for ten seconds. */
const maxSending = 16

const logLevels = { critical: 'error', warning: 'warn', notice: 'info' } as const

/**
 * Tells the operator: in the log, and by an event for each of his endpoints, which is delivered as any other. While the store
 * is away it is sent there once directly, and recorded when the store is back, with the same id.
 */
export class Alarm {
  readonly #ports: AlarmPorts
  readonly #raised = new Set<string>()
  readonly #sending = new Set<Promise<void>>()
  #waiting: Waiting[] = []
  #working: Promise<void> | null = null

  constructor(ports: AlarmPorts) {
    this.#ports = ports
  }

  /** Nobody waits for it, and it never throws. */
  readonly raise: RaiseAlert = (type, subject, details) => {
    const alert = createAlert(type, subject, details, this.#ports.clock.now())
    const key = alertKey(alert)
    const isRepeat = this.#raised.has(key)
    // What names an event is the only line that does.
    if (!isRepeat || 'eventId' in details) this.#log(alert, isRepeat)
    if (isRepeat || this.#waiting.length >= maxWaiting) return
    if (this.#raised.size >= maxRemembered) this.#raised.clear()
    this.#raised.add(key)
    this.#ports.onAlert(type)
    this.#waiting.push({ alert, isSent: false })
    void this.flush()
  }

  /** Records what waits, or sends it where the store is away. Never rejects. */
  flush(): Promise<void> {
    if (this.#waiting.length > 0) this.#working ??= this.#work()
    return this.#working ?? Promise.resolve()
  }

  /** Resolves when nothing is being recorded or sent. */
  async idle(): Promise<void> {
    await this.flush()
    await Promise.all(this.#sending)
  }

  async #work(): Promise<void> {
    // Whoever raises it goes on first, and what is raised together is recorded together.
    await new Promise(resolve => setImmediate(resolve))
    try {
      while (this.#waiting.length > 0) {
        const batch = this.#waiting.slice(0, recordedAtOnce)
        await this.#record(batch.map(({ alert }) => alert))
        this.#waiting.splice(0, batch.length)
      }
    } catch (cause) {
      this.#ports.logger.warn({ error: describeError(cause) }, 'alerts wait: the store fails')
      this.#sendWaiting()
    }
    this.#working = null
  }

  async #record(waiting: readonly Alert[]): Promise<void> {
    const operators = await this.#ports.apps.findOperators()
    const events = waiting.flatMap(alert => receiversOf(alert, operators).map(app => toAlertEvent(alert, app)))
    if (events.length > 0) await withinDeadline(storeDeadlineMs, this.#ports.record(events))
  }

  #sendWaiting(): void {
    for (const waiting of this.#waiting) {
      if (this.#sending.size >= maxSending) return
      if (waiting.isSent) continue
      waiting.isSent = true
      const sending = this.#send(waiting.alert).finally(() => this.#sending.delete(sending))
      this.#sending.add(sending)
    }
  }

  /** Once, to the endpoints as they were last seen. Never rejects. */
  async #send(alert: Alert): Promise<void> {
    const { apps, clock, logger, send } = this.#ports
    try {
      const operators = apps.lastSeenOperators()
      const receivers = receiversOf(
        alert,
        operators.map(({ app }) => app),
      )
      await Promise.all(
        operators.map(async ({ app, secrets }) => {
          if (app.isDisabled || !receivers.includes(app)) return
          const event = toAlertEvent(alert, app)
          const answer = await send(prepareDelivery(event, app, secrets, clock.now(), event.kind))
          const isTaken = answer.outcome === 'answered' && answer.httpStatus < 300
          if (isTaken) return
          logger.warn({ alert: alert.type, app: appMark(app.appId) }, 'an alert reached nobody yet: the store is away')
        }),
      )
    } catch (cause) {
      logger.warn(
        { alert: alert.type, error: describeError(cause) },
        'an alert could not be sent; it waits for the store',
      )
    }
  }

  #log(alert: Alert, isRepeat: boolean): void {
    const { type, subject, details } = alert
    this.#ports.logger[logLevels[alerts[type].severity]](
      { subject, ...details, ...(!isRepeat && describeAlert(alert)) },
      `alert: ${type}`,
    )
  }
}

/** What is about an operator's own endpoint is in the log alone: told to operators it would go round and round. */
function receiversOf({ subject }: Alert, operators: readonly RelayApp[]): readonly RelayApp[] {
  return operators.some(({ appId }) => appMark(appId) === subject) ? [] : operators
}
