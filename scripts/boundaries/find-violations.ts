import { posix } from 'node:path'
import { findCycles } from './find-cycles.ts'
import { type Import, readSource, type SourceFile } from './read-source.ts'
import {
  type ArrowRule,
  arrowRules,
  cycleReason,
  fileNameRules,
  foreignPathReason,
  impureInCore,
  strangers,
} from './rules.ts'

export type Violation = { path: string; line: number; rule: string; problem: string; reason: string }

type ReadFile = { path: string; imports: ResolvedImport[]; impure: { what: string; line: number }[] }
/** An import of a file has a target, an import of a package has none. */
type ResolvedImport = Import & { target?: string }

/** Everything in these files that breaks a rule, in the order of the files. Paths are relative to the repository. */
export function findViolations(files: readonly SourceFile[]): Violation[] {
  const read = files.map(file => ({ path: file.path, ...resolveImports(file) }))
  const found = read.flatMap(file => [
    ...brokenArrows(file),
    ...impureUses(file),
    ...meetingStrangers(file),
    ...foreignPaths(file),
    ...badNames(file),
  ])
  return [...found, ...cycles(read)].sort((a, b) => a.path.localeCompare(b.path) || a.line - b.line)
}

function resolveImports(file: SourceFile): Omit<ReadFile, 'path'> {
  const { imports, impure } = readSource(file)
  const resolved = imports.map(found => {
    const isFile = found.specifier.startsWith('.')
    return { ...found, ...(isFile && { target: posix.join(posix.dirname(file.path), found.specifier) }) }
  })
  return { imports: resolved, impure }
}

function brokenArrows(file: ReadFile): Violation[] {
  if (isTest(file.path)) return []
  return arrowRules
    .filter(rule => file.path.startsWith(rule.from))
    .flatMap(rule =>
      file.imports.flatMap(found => {
        const problem = forbiddenBy(rule, found)
        return problem ? [{ path: file.path, line: found.line, rule: rule.name, problem, reason: rule.reason }] : []
      }),
    )
}

function forbiddenBy(rule: ArrowRule, found: ResolvedImport): string | undefined {
  const { specifier, target } = found
  if (target !== undefined) {
    return rule.mayImport.some(folder => target.startsWith(folder)) ? undefined : `imports ${target}`
  }
  if (rule.packages && !rule.packages.some(allowed => isAllowedPackage(specifier, allowed)))
    return `imports ${specifier}`
  const allowedNames = rule.onlyNames?.[specifier]
  if (!allowedNames) return undefined
  if (found.names === 'everything')
    return `imports all of ${specifier}; name what you need (${allowedNames.join(', ')})`
  const others = found.names.filter(name => !allowedNames.includes(name))
  return others.length > 0 ? `imports ${others.join(', ')} from ${specifier}` : undefined
}

function isAllowedPackage(specifier: string, allowed: string): boolean {
  return allowed.endsWith('/*') ? specifier.startsWith(allowed.slice(0, -1)) : specifier === allowed
}

function impureUses(file: ReadFile): Violation[] {
  if (isTest(file.path) || !file.path.startsWith(impureInCore.from)) return []
  const { name: rule, reason } = impureInCore
  return file.impure.map(({ what, line }) => ({ path: file.path, line, rule, problem: `uses ${what}`, reason }))
}

function meetingStrangers(file: ReadFile): Violation[] {
  return strangers
    .filter(rule => file.path.startsWith(rule.from))
    .flatMap(({ name: rule, never, reason }) =>
      file.imports
        .filter(({ specifier, target }) =>
          target === undefined
            ? specifier === never || specifier.startsWith(`${never}/`)
            : target.startsWith(`packages/${never}/`),
        )
        .map(({ specifier, line }) => ({ path: file.path, line, rule, problem: `imports ${specifier}`, reason })),
    )
}

function foreignPaths(file: ReadFile): Violation[] {
  const home = packageOf(file.path)
  return file.imports
    .filter(({ target }) => target !== undefined && packageOf(target) !== undefined && packageOf(target) !== home)
    .map(({ specifier, line }) => ({
      path: file.path,
      line,
      rule: 'no-paths-into-other-packages',
      problem: `imports ${specifier}`,
      reason: foreignPathReason,
    }))
}

function badNames(file: ReadFile): Violation[] {
  const fileName = posix.basename(file.path)
  return fileNameRules
    .filter(rule => rule.under.test(file.path) && rule.names.some(name => name === fileName))
    .map(({ name: rule, reason }) => ({ path: file.path, line: 1, rule, problem: `is named ${fileName}`, reason }))
}

/** Type imports count too: they vanish at run time, but not for the reader. */
function cycles(files: readonly ReadFile[]): Violation[] {
  const known = new Map(files.map(file => [file.path, file]))
  const targetsOf = (file: ReadFile) =>
    file.imports.flatMap(({ target }) => (target && known.has(target) ? [target] : []))
  const edges = new Map(files.map(file => [file.path, targetsOf(file)]))
  return findCycles(edges).map(cycle => {
    const [path = '', next] = cycle
    const line = known.get(path)?.imports.find(({ target }) => target === next)?.line ?? 1
    return {
      path,
      line,
      rule: 'no-import-cycles',
      problem: `is in a cycle: ${cycle.join(' -> ')}`,
      reason: cycleReason,
    }
  })
}

function packageOf(path: string): string | undefined {
  return /^packages\/([^/]+)\//.exec(path)?.[1]
}

/** Tests and their neighbours may reach over an arrow: they are not shipped. */
function isTest(path: string): boolean {
  return /\.(test|test-d)\.tsx?$|^packages\/[^/]+\/src\/testing\//.test(path)
}
