import { sha256 } from '../sha256.ts'
import { createTimeOrderedId } from '../time-ordered-id.ts'
import { type AlertDetails, type AlertType, alerts } from './alerts.ts'
import type { RelayApp } from './relay-app.ts'
import type { NewRelayEvent } from './relay-event.ts'

/** One thing that an operator is told. */
export type Alert = {
  readonly type: AlertType
  readonly subject: string
  readonly details: AlertDetails
  readonly at: Date
  /** When the time in which it is told once began: the same for every relay, and after a restart. */
  readonly bucketAt: Date
}

/** A day begins in Nairobi, as that of a quota does. */
const nairobiAheadMs = 3 * 3_600_000

export function createAlert(type: AlertType, subject: string, details: AlertDetails, at: Date): Alert {
  const { everyMs } = alerts[type]
  const time = at.getTime() + nairobiAheadMs
  return { type, subject, details, at, bucketAt: new Date(Math.floor(time / everyMs) * everyMs - nairobiAheadMs) }
}

/** Where the runbook speaks of it. */
export function runbookOf(type: AlertType): string {
  return `docs/runbook.md#${type.replaceAll('.', '')}`
}

/** What is told once. The time is in the key and not in the result: the next one contradicts nothing. */
export function alertKey({ type, subject, bucketAt }: Alert): string {
  return `${type} ${subject} ${bucketAt.toISOString()}`
}

/** The text of an alert, with its details in it. */
export function describeAlert({ type, subject, details }: Alert): { readonly what: string; readonly todo: string } {
  const values: AlertDetails = { subject, ...details }
  const fill = (text: string): string => text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? '?'))
  const { what, todo } = alerts[type]
  return { what: fill(what), todo: fill(todo) }
}

/** An alert as the event of an operator's endpoint. Whoever makes it anew makes the same: same id, same key. */
export function toAlertEvent(
  alert: Alert,
  { appId, isDisabled }: Pick<RelayApp, 'appId' | 'isDisabled'>,
): NewRelayEvent {
  const { type, subject, details, at, bucketAt } = alert
  const businessKey = alertKey(alert)
  const id = createTimeOrderedId(bucketAt, Buffer.from(sha256(`${appId} ${businessKey}`), 'hex'))
  const body = {
    type,
    id,
    at: at.toISOString(),
    severity: alerts[type].severity,
    subject,
    details,
    ...describeAlert(alert),
    runbook: runbookOf(type),
  }
  return {
    id,
    appId,
    kind: 'operations',
    businessKey,
    result: 'raised',
    checkoutRequestId: null,
    body: new TextEncoder().encode(JSON.stringify(body)),
    callbackToken: null,
    receivedAt: at,
    copies: 1,
    isHeld: isDisabled,
    contradicts: null,
    traceParent: null,
  }
}
