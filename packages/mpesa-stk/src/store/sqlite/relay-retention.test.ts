import { expect, test } from 'vitest'
import { retentionKinds } from '../../core/deliver/retention.ts'
import { openSqliteDatabase } from './database.ts'
import { migrateSqlite } from './migrate.ts'
import { valuesOf, walks } from './relay-retention.ts'
import { relaySchema } from './relay-schema.ts'
import { SqliteStatements } from './statements.ts'

test.each(retentionKinds)('a step for %s searches along an index and sorts nothing', async kind => {
  const database = await openSqliteDatabase(':memory:')
  migrateSqlite(database, relaySchema, new Date())
  const on = new SqliteStatements(database)
  const { look, remove } = walks[kind]
  const plan = [
    ...on.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${look}`, valuesOf(new Date(), '', 9)),
    ...remove.flatMap(statement => on.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${statement}`, ['[1]'])),
  ].map(({ detail }) => detail)
  expect(plan.filter(step => /^SCAN (?!json_each)|TEMP B-TREE/.test(step))).toEqual([])
  expect(plan[0]).toMatch(/^SEARCH .* USING INDEX .*>/)
  on.clear()
  database.close()
})
