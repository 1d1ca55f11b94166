import { describeError } from '../core/errors.ts'
import { type Check, isSkipped, type Surroundings } from './check.ts'
import { type Finding, type FindingText, findingsOf } from './finding.ts'

/** What a check came to. */
export type CheckReport = {
  readonly check: string
  readonly about: string
  /** Why it does not apply; null where it ran. */
  readonly skipped: string | null
  readonly findings: readonly Finding[]
}

/** What any check may come to. */
export const checkTexts = {
  'check-failed': {
    level: 'error',
    what: 'the check could not be made: {problem}',
    why: 'what was not looked at may be broken, and nobody knows',
    mend: 'mend what it says and run `mpesa-stk doctor` again',
  },
  'check-hung': {
    level: 'error',
    what: 'the check had no end within {seconds} s',
    why: 'whatever it asked (a disk, a database, a name server) keeps your payments waiting in the same way',
    mend: 'look whether that answers at all, and run `mpesa-stk doctor` again',
  },
} as const satisfies Record<string, FindingText>

/** Runs checks side by side, each within `deadlineMs`. One that fails or hangs is a finding, and the others go on. */
export function runChecks(
  checks: readonly Check[],
  surroundings: Omit<Surroundings, 'signal'>,
  deadlineMs: number,
): readonly Promise<CheckReport>[] {
  return checks.map(check => runCheck(check, surroundings, deadlineMs))
}

async function runCheck(
  check: Check,
  surroundings: Omit<Surroundings, 'signal'>,
  deadlineMs: number,
): Promise<CheckReport> {
  const { name, about } = check
  const find = findingsOf(name, checkTexts)
  const report = { check: name, about, skipped: null }
  const over = new AbortController()
  const { promise: hung, resolve } = deferred()
  const timer = setTimeout(() => {
    over.abort()
    resolve([find('check-hung', { seconds: deadlineMs / 1_000 })])
  }, deadlineMs)
  try {
    const result = await Promise.race([check.run({ ...surroundings, signal: over.signal }), hung])
    return isSkipped(result) ? { ...report, ...result, findings: [] } : { ...report, findings: result }
  } catch (error) {
    return { ...report, findings: [find('check-failed', { problem: problemOf(error) })] }
  } finally {
    clearTimeout(timer)
    over.abort()
  }
}

/** The messages of others may quote what they were given: only ours are told whole. */
function problemOf(error: unknown): string {
  const { name = 'error', code, message } = describeError(error)
  return name === 'MpesaStkError' ? `${code}: ${message}` : (code ?? name)
}

function deferred(): {
  readonly promise: Promise<readonly Finding[]>
  readonly resolve: (value: readonly Finding[]) => void
} {
  let resolve: (value: readonly Finding[]) => void = () => {}
  const promise = new Promise<readonly Finding[]>(done => {
    resolve = done
  })
  return { promise, resolve }
}
