import type { Check, Surroundings } from './check.ts'
import { setting } from './check.ts'
import { type Finding, type FindingText, findingsOf } from './finding.ts'

const texts = {
  'password-expired': {
    level: 'error',
    what: 'the API operator’s password expired on {expires}',
    why: 'B2C, reversals and queries of status and balance fail with 2001, and a few wrong tries lock the operator (8006)',
    mend: 'change it on the M-PESA organisation portal, make a new SecurityCredential of it, and set MPESA_INITIATOR_PASSWORD_CHANGED to that day',
  },
  'password-expires-soon': {
    level: 'warning',
    what: 'the API operator’s password expires on {expires}, in {days} days',
    why: 'from then on B2C, reversals and queries of status and balance fail with 2001',
    mend: 'change it on the M-PESA organisation portal before, make a new SecurityCredential of it, and set MPESA_INITIATOR_PASSWORD_CHANGED to that day',
  },
  'password-date-unreadable': {
    level: 'error',
    what: 'MPESA_INITIATOR_PASSWORD_CHANGED is no day that has been',
    why: 'nobody will be told before the password expires, 90 days after it was changed',
    mend: 'set it to the day of the last change, as MPESA_INITIATOR_PASSWORD_CHANGED=2026-11-24',
  },
  'password-date-unknown': {
    level: 'warning',
    what: 'an API operator is set, and nothing says when its password was changed',
    why: 'Safaricom lets it expire after 90 days, and then B2C, reversals and queries of status and balance fail with 2001',
    mend: 'set MPESA_INITIATOR_PASSWORD_CHANGED to the day of the last change, as 2026-11-24',
  },
} as const satisfies Record<string, FindingText>

const find = findingsOf('operator-password', texts)

const dayMs = 24 * 3_600_000
const nairobiOffsetMs = 3 * 3_600_000
/** [documented] */
const lastsDays = 90
const warnDaysBefore = 14

const operatorVariables = /^MPESA_(?:INITIATOR|OPERATOR|SECURITY_CREDENTIAL|B2C|B2B)/

type PasswordFacts = {
  /** As it is set. */
  readonly changed: string | null
  readonly now: Date
}

export const operatorPassword: Check = {
  name: 'operator-password',
  about: 'the age of the API operator’s password',
  texts,
  async run(surroundings) {
    const changed = setting(surroundings, 'MPESA_INITIATOR_PASSWORD_CHANGED')
    if (changed === null && !hasOperator(surroundings)) {
      return { skipped: 'no API operator is set (MPESA_INITIATOR…, MPESA_SECURITY_CREDENTIAL)' }
    }
    return judgePassword({ changed, now: surroundings.now })
  },
}

function judgePassword({ changed, now }: PasswordFacts): Finding[] {
  if (changed === null) return [find('password-date-unknown')]
  const changedAt = readDay(changed)
  // A day may have begun elsewhere.
  if (changedAt === null || changedAt > now.getTime() + dayMs) return [find('password-date-unreadable')]
  const expiresAt = changedAt + lastsDays * dayMs
  const days = Math.ceil((expiresAt - now.getTime()) / dayMs)
  const expires = new Date(expiresAt + nairobiOffsetMs).toISOString().slice(0, 10)
  if (days <= 0) return [find('password-expired', { expires })]
  return days <= warnDaysBefore ? [find('password-expires-soon', { expires, days })] : []
}

/** Null for what is no day of the calendar: the parser takes 2026-02-31 for a day of March. */
function readDay(text: string): number | null {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00+03:00`) : Number.NaN
  const isDay = !Number.isNaN(at) && new Date(at + nairobiOffsetMs).toISOString().startsWith(text)
  return isDay ? at : null
}

function hasOperator({ environment }: Surroundings): boolean {
  return Object.entries(environment).some(([name, value]) => operatorVariables.test(name) && value?.trim())
}
