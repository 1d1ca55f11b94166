import { type Finding, type FindingText, findingsOf } from './finding.ts'

export const storeTexts = {
  'store-away': {
    level: 'error',
    what: 'the store {where} does not answer ({code})',
    why: 'no payment can be begun or settled, and the relay keeps callbacks on its disk until that is full',
    mend: 'start the database, or mend address, user and password in DATABASE_URL (`psql "$DATABASE_URL" -c "select 1"`)',
  },
  'store-not-migrated': {
    level: 'error',
    what: 'the store {where} has no tables yet',
    why: 'the first customer would find a shop that cannot take his payment',
    mend: '{migrate}',
  },
  'store-older': {
    level: 'error',
    what: 'the store {where} has schema {version}, and this release needs {newest}',
    why: 'this release reads and writes what is not there: payments fail half-way',
    mend: '{migrate}',
  },
  'store-newer': {
    level: 'error',
    what: 'the store {where} has schema {version}, and this release knows {newest}',
    why: 'this release refuses to start on it, so that it damages nothing',
    mend: 'run the release of mpesa-stk that wrote it, or a later one',
  },
  'store-misshapen': {
    level: 'error',
    what: 'the store {where} lacks {missing}',
    why: 'its schema says that it is complete: somebody changed it by hand, and indexes and triggers are what keeps a payment from being settled twice and its trail from being changed',
    mend: 'restore what was dropped from a backup, or make the tables anew in an empty database and copy the rows over',
  },
} as const satisfies Record<string, FindingText>

export type StoreFacts = {
  /** To be named in messages: never its address, which may hold a password. */
  readonly where: string
  readonly state:
    | { readonly outcome: 'away'; readonly code: string }
    | {
        readonly outcome: 'open'
        /** 0 where there are no tables. */
        readonly version: number
        /** Columns, indexes and triggers that ought to be there and are not. */
        readonly missing: readonly string[]
      }
  /** The version of this release. */
  readonly newest: number
  /** How its tables are made. */
  readonly migrate: string
}

const shownMissing = 5

export function judgeStore(check: string, { where, state, newest, migrate }: StoreFacts): Finding[] {
  const find = findingsOf(check, storeTexts)
  if (state.outcome === 'away') return [find('store-away', { where, code: state.code })]
  const { version, missing } = state
  if (version === 0) return [find('store-not-migrated', { where, migrate })]
  if (version < newest) return [find('store-older', { where, version, newest, migrate })]
  if (version > newest) return [find('store-newer', { where, version, newest })]
  if (missing.length === 0) return []
  const more = missing.length > shownMissing ? ` and ${missing.length - shownMissing} more` : ''
  return [find('store-misshapen', { where, missing: missing.slice(0, shownMissing).join(', ') + more })]
}
