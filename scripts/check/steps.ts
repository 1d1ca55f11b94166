/** The steps of `npm run check`, in order. A step is a command that a person can also run alone. */
export type Step = {
  name: string
  title: string
  /** A program of node_modules/.bin and its arguments, run in the root of the repository. */
  command: readonly [program: string, ...args: string[]]
  /** What to do when it fails, where its own output does not say so. */
  remedy?: string
}

export const steps: readonly Step[] = [
  {
    name: 'format',
    title: 'format and lint',
    command: ['biome', 'check', '.'],
    remedy: 'npm run format writes the format and the safe fixes',
  },
  {
    name: 'lint',
    title: 'floating promises and lint that knows types',
    command: ['oxlint', '--type-aware', '--deny-warnings', '--report-unused-disable-directives'],
  },
  { name: 'types', title: 'types of packages, examples, scripts, e2e and bench', command: ['tsc', '-p', '.'] },
  {
    name: 'page-types',
    title: 'the client, without the types of Node',
    command: ['tsc', '-p', 'packages/client'],
  },
  {
    name: 'boundaries',
    title: 'import boundaries and cycles',
    command: ['tsx', 'scripts/check-boundaries.ts'],
    remedy: 'the rules and their reasons: scripts/boundaries/rules.ts',
  },
  {
    name: 'dead',
    title: 'dead code and unused dependencies',
    command: ['knip', '--no-config-hints'],
    remedy: 'delete it; an exception goes into knip.jsonc with its reason',
  },
  { name: 'build', title: 'builds', command: ['tsx', 'scripts/check/build.ts'] },
  { name: 'exports', title: 'package exports and their types', command: ['tsx', 'scripts/check/package-exports.ts'] },
  {
    name: 'packed',
    title: 'packed packages as a stranger loads them',
    command: ['tsx', 'scripts/check/packed-packages.ts'],
  },
  {
    name: 'sizes',
    title: 'sizes of the built files',
    command: ['size-limit'],
    remedy: 'the budgets are in .size-limit.json; raise one only with the reason in the commit message',
  },
]

/** The steps that were asked for, in the order of the table. */
export function pickSteps(only: string | undefined, table: readonly Step[] = steps): readonly Step[] {
  if (only === undefined) return table
  const wanted = only.split(',').map(name => name.trim())
  const unknown = wanted.filter(name => !table.some(step => step.name === name))
  if (unknown.length > 0) {
    throw new Error(`no such step: ${unknown.join(', ')}\nsteps: ${table.map(step => step.name).join(', ')}`)
  }
  return table.filter(step => wanted.includes(step.name))
}
