import { all, type Queryable } from './pool.ts'

/** A statement that has not been run yet. */
export type Statement = { readonly text: string; readonly values: readonly unknown[] }

/**
 * Runs statements in one round trip, as parts of one, and returns the rows of the last. They all see the rows as they were
 * before, in no order that could be relied upon: no two of them may write the same row, nor one read what another writes.
 */
export async function runTogether<Row>(
  client: Queryable,
  statements: readonly [...Statement[], Statement],
): Promise<readonly Row[]> {
  const values: unknown[] = []
  const parts = statements.map(statement => {
    const taken = values.length
    values.push(...statement.values)
    return statement.text.replace(/\$(\d+)/g, (_match, number: string) => `$${Number(number) + taken}`)
  })
  const before = parts.slice(0, -1).map((text, index) => `part_${index} AS (${text})`)
  return all<Row>(client, `${before.length === 0 ? '' : `WITH ${before.join(', ')} `}${parts.at(-1)}`, values)
}
