/** A node of what `EXPLAIN (ANALYZE, FORMAT JSON)` tells, for tests. */
export type Plan = {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly Plan[]
}

/** How many rows each scan of a table or an index read. */
export function readsOf(plan: Plan): readonly (readonly [string, number])[] {
  const isScan = plan['Node Type'].endsWith('Scan') && !/CTE|Subquery|Result|Function/.test(plan['Node Type'])
  const read = (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops']
  const below = (plan.Plans ?? []).flatMap(readsOf)
  const name = [plan['Node Type'], plan['Relation Name'], plan['Index Name']].filter(Boolean).join(' ')
  return isScan ? [[name, read], ...below] : below
}
