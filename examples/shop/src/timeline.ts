import type { AuditEvent, RecordedAuditEntry } from 'mpesa-stk'
import { formatKes } from './money.ts'

/** One line of a payment's story, for a person. */
export type TimelineRow = {
  /** ISO 8601. */
  readonly at: string
  readonly sinceStartMs: number
  /** Whose side it is told from. */
  readonly by: 'shop' | 'relay' | 'safaricom' | 'customer' | 'stranger'
  readonly step: string
  readonly evidence: string
}

type Words = (entry: RecordedAuditEntry) => readonly [step: string, evidence: string]

const words: Partial<Record<AuditEvent, Words>> = {
  'initiation.reserved': ({ evidence }) => [
    'Intent stored',
    `${formatKes(Number(evidence['amount']))}, before M-PESA is asked`,
  ],
  'initiation.sent': ({ evidence }) => [
    'Push sent',
    evidence['token'] === true ? 'with a callback token of its own' : 'without a callback token',
  ],
  'initiation.accepted': () => ['Push accepted', "Daraja's answer is stored"],
  'initiation.refused': ({ evidence }) => ['Push refused', `${codeOf(evidence)}: nobody was prompted`],
  'initiation.unknown': ({ evidence }) => ['Outcome unknown', `${codeOf(evidence)}: never pushed again by itself`],
  'payment.settled': entry => [`Settled ${entry.after}`, settlementOf(entry)],
  'payment.corrected': entry => [`Corrected to ${entry.after}`, settlementOf(entry)],
  'payment.receipt-added': () => ['Receipt added', 'it came after the result'],
  'callback.unconfirmed': () => ['Callback kept', 'it says paid; Safaricom is asked before it counts'],
  'callback.contradiction': ({ evidence }) => ['Callback not believed', reasonOf(evidence)],
  'callback.refused': ({ evidence }) => ['Callback refused', reasonOf(evidence)],
  'evidence.contradiction': ({ evidence }) => ['Evidence not believed', reasonOf(evidence)],
  'reconcile.mismatch': ({ evidence }) => ['Safaricom says otherwise', `${evidence['claimed']}; nothing was changed`],
}

/** Tells the audit trail of one payment in words. An event that we have no words for is told as it is. */
export function tellTrail(trail: readonly RecordedAuditEntry[]): readonly TimelineRow[] {
  const startMs = trail[0]?.at.getTime() ?? 0
  return trail.map(entry => {
    const [step, evidence] = words[entry.event]?.(entry) ?? [entry.event, asText(entry.evidence)]
    return { at: entry.at.toISOString(), sinceStartMs: entry.at.getTime() - startMs, by: 'shop', step, evidence }
  })
}

type Evidence = RecordedAuditEntry['evidence']

function settlementOf({ before, cause, evidence }: RecordedAuditEntry): string {
  const was = before ?? (evidence['initiationWas'] === 'unknown' ? 'unknown' : 'not accepted yet')
  const result = evidence['resultCode'] === undefined ? '' : ` result ${evidence['resultCode']},`
  const by = settledBy[cause] ?? `by ${cause}:`
  const token = evidence['token'] === true ? ' right token,' : ''
  return `${by}${result}${token} was ${was}`
}

const settledBy: Partial<Record<RecordedAuditEntry['cause'], string>> = {
  callback: 'by callback:',
  poll: 'by asking Safaricom:',
}

function codeOf({ code, httpStatus }: Evidence): string {
  return typeof httpStatus === 'number' ? `${code} (HTTP ${httpStatus})` : String(code)
}

const reasons: Readonly<Record<string, string>> = {
  'token-missing': 'it came without the token of this push; kept, not applied',
  'token-wrong': 'it came with a wrong token; kept, not applied',
  'amount-differs': 'it names another amount; kept, not applied',
  'receipt-seen-before': 'its receipt belongs to another payment; kept, not applied',
  'other-status': 'it says something else than what stands; kept, not applied',
}

function reasonOf({ reason }: Evidence): string {
  return reasons[String(reason)] ?? `${reason}; kept, not applied`
}

function asText(evidence: Evidence): string {
  return Object.entries(evidence)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
}
