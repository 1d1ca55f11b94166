import type { Finding, FindingTexts } from './finding.ts'

/** What a check may look at. */
export type Surroundings = {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The folder that the command was started in. */
  readonly folder: string
  readonly now: Date
  /** Nothing may be asked of the network; the database, which may be elsewhere, included. */
  readonly isOffline: boolean
  /** Over when nobody waits for the check any more. */
  readonly signal: AbortSignal
}

/** Does not apply; `skipped` goes on after "skipped, because …". */
export type Skipped = { readonly skipped: string }

/** One look at a set-up: it gathers facts, and a pure function judges them. */
export type Check = {
  readonly name: string
  /** What it looks at, in a few words. */
  readonly about: string
  /** The words of every finding that it may have. */
  readonly texts: FindingTexts
  run(surroundings: Surroundings): Promise<readonly Finding[] | Skipped>
}

/** What a variable is set to; null where it is not, or holds nothing. */
export function setting({ environment }: Pick<Surroundings, 'environment'>, name: string): string | null {
  return environment[name]?.trim() || null
}

export function isSkipped(value: unknown): value is Skipped {
  return typeof value === 'object' && value !== null && 'skipped' in value
}
