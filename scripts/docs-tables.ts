import { alerts } from '../packages/mpesa-stk/src/core/deliver/alerts.ts'
import { catalogue } from '../packages/mpesa-stk/src/core/explain/catalogue.ts'
import { explain } from '../packages/mpesa-stk/src/core/explain/explain.ts'
import { initiationMoves } from '../packages/mpesa-stk/src/core/initiate/initiation.ts'
import { settlementTable } from '../packages/mpesa-stk/src/core/settle/settlement-table.ts'
import { checks } from '../packages/mpesa-stk/src/doctor/checks.ts'
import { checkTexts } from '../packages/mpesa-stk/src/doctor/run-checks.ts'

/** The tables of the documents, printed from the data that the code decides by. */
const tables: Readonly<Record<string, string>> = {
  initiation: table(
    ['state', 'may become'],
    Object.entries(initiationMoves).map(([state, next]) => [
      code(state),
      next.map(code).join(', ') || 'nothing: final',
    ]),
  ),
  settlement: table(
    ['', ...Object.keys(settlementTable.PENDING)],
    Object.entries(settlementTable).map(([from, effects]) => [`**${from}**`, ...Object.values(effects)]),
  ),
  alerts: table(
    ['alert', 'severity', 'once in', 'what it says'],
    Object.entries(alerts).map(([type, { severity, everyMs, what }]) => [
      code(type),
      severity,
      `${everyMs / 60_000} min`,
      what,
    ]),
  ),
  codes: table(
    ['answer of', 'code', 'means', 'a customer is told', 'fixable by', 'new try may help', 'confidence'],
    catalogue.map(({ api, code: text, match, meaning, fixableBy, retryable, confidence }) => [
      api,
      match === undefined ? code(text) : `${code(text)} “${match}”`,
      meaning.replaceAll('|', '\\|'),
      text === '*' ? '' : explain(api, text, match).customer.en,
      fixableBy,
      retryable ? 'yes' : 'no',
      confidence,
    ]),
  ),
  checks: table(
    ['check', 'looks at'],
    checks.map(({ name, about }) => [code(name), about]),
  ),
  findings: table(
    ['finding', '', 'what', 'why it costs money', 'mend'],
    // The two stores have the same findings.
    [...checks.filter(({ name }) => name !== 'relay-store'), { name: 'any check', texts: checkTexts }].flatMap(
      ({ name, texts }) =>
        Object.entries(texts).map(([finding, { level, what, why, mend }]) => [
          `${name === 'payment-store' ? 'payment-store, relay-store' : name}: ${code(finding)}`,
          ...[level, what, why, mend].map(text => text.replaceAll('|', '\\|')),
        ]),
    ),
  ),
}

/** The documents that hold generated tables. */
export const documentsWithTables = ['ARCHITECTURE.md', 'docs/codes.md', 'docs/doctor.md', 'docs/relay.md'] as const

/** `text` with each `<!-- table:name -->` … `<!-- /table -->` holding the table of that name. */
export function fillTables(text: string): string {
  return text.replace(/<!-- table:(\w+) -->[\s\S]*?<!-- \/table -->/g, (_block, name: string) => {
    const content = tables[name]
    if (content === undefined) throw new Error(`no table is called ${name}`)
    return `<!-- table:${name} -->\n${content}\n<!-- /table -->`
  })
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function code(text: string): string {
  return `\`${text}\``
}
