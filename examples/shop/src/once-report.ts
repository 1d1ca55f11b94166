import { formatKes } from './money.ts'
import type { OnceScenario } from './once-scenarios.ts'
import type { PaymentAnswer } from './payment-answer.ts'
import type { TimelineRow } from './timeline.ts'

/** What `--once` found out; `--json` prints it as it is. */
export type OnceResult = {
  readonly scenario: string
  readonly expected: OnceScenario['expected']
  readonly status: PaymentAnswer['status']
  readonly ok: boolean
  /** What was not as it must be. */
  readonly problems: readonly string[]
  readonly receipt: string | null
  readonly payment: PaymentAnswer
  /** What a second press of the button made, where it made a payment of its own. */
  readonly secondAttempt: PaymentAnswer | null
  readonly advice: string | null
  readonly timeline: readonly TimelineRow[]
}

const paints = { dim: 2, bold: 1, red: 31, green: 32, yellow: 33 } as const
type Paint = (colour: keyof typeof paints, text: string) => string

/** The story as a table, then the result, then what the customer reads if it did not succeed. */
export function reportOnce({ about }: OnceScenario, result: OnceResult, hasColours: boolean): string {
  const paint: Paint = (colour, text) => (hasColours ? `\u001b[${paints[colour]}m${text}\u001b[0m` : text)
  const { payment, timeline } = result
  const lines = [
    paint('bold', `${result.scenario}: ${about}`),
    paint(
      'dim',
      `${payment.title?.en ?? ''}, ${formatKes(payment.amount)}, order ${payment.reference}, ${payment.phone}`,
    ),
    '',
    ...tabulate(timeline, paint),
    '',
    resultLine(result, paint),
  ]
  if (payment.explanation !== null) {
    lines.push(`  en  ${payment.explanation.customer.en}`, `  sw  ${payment.explanation.customer.sw}`)
  }
  if (result.advice !== null) lines.push(`  what a shop does: ${result.advice}`)
  if (result.secondAttempt !== null) lines.push('', secondLine(result.secondAttempt, paint))
  for (const problem of result.problems) lines.push(paint('red', `not as expected: ${problem}`))
  return lines.join('\n')
}

function tabulate(timeline: readonly TimelineRow[], paint: Paint): string[] {
  const cells = timeline.map(({ at, sinceStartMs, by, step, evidence }) => [
    nairobiTime(at),
    `+${sinceStartMs} ms`,
    by,
    step,
    evidence,
  ])
  const header = ['time (EAT)', 'since', 'who', 'step', 'evidence']
  const widths = header.map((title, column) => Math.max(title.length, ...cells.map(row => row[column]?.length ?? 0)))
  const align = (row: readonly string[]) =>
    row.map((cell, column) => (column === 1 ? cell.padStart(widths[1] ?? 0) : cell.padEnd(widths[column] ?? 0)))
  const [title = [], ...rows] = [header, ...cells].map(align)
  return [
    paint('dim', title.join('  ').trimEnd()),
    ...rows.map(
      ([time = '', since = '', ...rest]) => `${paint('dim', `${time}  ${since}`)}  ${rest.join('  ').trimEnd()}`,
    ),
  ]
}

function resultLine({ ok, status, expected, receipt, payment }: OnceResult, paint: Paint): string {
  const colour = !ok ? 'red' : status === 'SUCCESS' ? 'green' : 'yellow'
  const facts = [receipt === null ? 'no receipt' : `receipt ${receipt}`, formatKes(payment.amount)]
  const verdict = ok ? 'as expected' : `expected ${expected}`
  return [paint(colour, paint('bold', status)), ...facts, verdict].join('  ')
}

function secondLine({ status, receipt, amount }: PaymentAnswer, paint: Paint): string {
  const colour = status === 'SUCCESS' ? 'green' : 'yellow'
  const facts = [receipt === null ? 'no receipt' : `receipt ${receipt}`, formatKes(amount)]
  return [paint(colour, paint('bold', status)), ...facts, 'the second attempt, with the same key'].join('  ')
}

const clock = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'Africa/Nairobi',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
})

function nairobiTime(at: string): string {
  return clock.format(new Date(at))
}
