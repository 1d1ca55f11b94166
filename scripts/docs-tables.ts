import { initiationMoves } from '../packages/mpesa-stk/src/core/initiate/initiation.ts'
import { settlementTable } from '../packages/mpesa-stk/src/core/settle/settlement-table.ts'

/** The tables of ARCHITECTURE.md, printed from the data that the code decides by. */
export const architectureTables: Readonly<Record<string, string>> = {
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
}

/** `text` with each `<!-- table:name -->` … `<!-- /table -->` holding the table of that name. */
export function fillTables(text: string): string {
  return text.replace(/<!-- table:(\w+) -->[\s\S]*?<!-- \/table -->/g, (_block, name: string) => {
    const content = architectureTables[name]
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
