import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findViolations } from './boundaries/find-violations.ts'
import type { SourceFile } from './boundaries/read-source.ts'

// The rules are in scripts/boundaries/rules.ts.

const root = fileURLToPath(new URL('..', import.meta.url))

function sourceFilesOf(packageName: string): SourceFile[] {
  const folder = `packages/${packageName}/src`
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => /\.tsx?$/.test(name))
    .sort()
    .map(name => {
      const path = `${folder}/${name.replaceAll('\\', '/')}`
      return { path, text: readFileSync(join(root, path), 'utf8') }
    })
}

const files = readdirSync(join(root, 'packages')).flatMap(sourceFilesOf)
const violations = findViolations(files)
for (const { path, line, rule, problem, reason } of violations) {
  console.log(`${path}:${line}: ${problem}\n    ${rule}: ${reason}`)
}
console.log(`${files.length} files, ${violations.length} broken ${violations.length === 1 ? 'rule' : 'rules'}`)
if (files.length === 0) console.log('no source file found under packages/*/src: nothing was checked')
process.exitCode = violations.length > 0 || files.length === 0 ? 1 : 0
