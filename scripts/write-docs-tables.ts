import { readFileSync, writeFileSync } from 'node:fs'
import { documentsWithTables, fillTables } from './docs-tables.ts'

// Writes the generated tables of the documents: npx tsx scripts/write-docs-tables.ts
for (const path of documentsWithTables) {
  const file = new URL(`../${path}`, import.meta.url)
  writeFileSync(file, fillTables(readFileSync(file, 'utf8')))
}
