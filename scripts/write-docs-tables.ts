import { readFileSync, writeFileSync } from 'node:fs'
import { fillTables } from './docs-tables.ts'

// Writes the generated tables of ARCHITECTURE.md: npx tsx scripts/write-docs-tables.ts
const file = new URL('../ARCHITECTURE.md', import.meta.url)
writeFileSync(file, fillTables(readFileSync(file, 'utf8')))
