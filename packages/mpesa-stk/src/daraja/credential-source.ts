import type { CredentialProvider, Credentials } from '../core/credentials.ts'
import type { Clock } from '../core/ports.ts'

/** The credentials in use. */
export type CredentialSource = {
  /** Those in use, or the provider's first. Rejects with what the provider throws. */
  get(): Promise<Credentials>
  /** Daraja refused `used`: asks the provider again. True when there are others now. */
  refresh(used: Credentials): Promise<boolean>
}

/** However often Daraja refuses, a secret manager is asked at most this often. */
const refreshEveryMs = 30_000

export function createCredentialSource(provider: CredentialProvider, clock: Clock): CredentialSource {
  let current: Credentials | null = null
  let askedAt = Number.NEGATIVE_INFINITY
  let underWay: Promise<Credentials> | null = null

  /** One question at a time, for all who ask. */
  function ask(): Promise<Credentials> {
    underWay ??= Promise.resolve()
      .then(() => {
        // Also where it fails: a secret manager that is down is asked no more often.
        askedAt = clock.now().getTime()
        return provider()
      })
      .then(({ consumerKey, consumerSecret, passKey }) => {
        current = { consumerKey, consumerSecret, passKey }
        return current
      })
      .finally(() => {
        underWay = null
      })
    return underWay
  }

  return {
    get: async () => current ?? ask(),
    async refresh(used) {
      if (current !== null && !isSame(current, used)) return true
      if (clock.now().getTime() - askedAt < refreshEveryMs) return false
      return ask().then(
        fresh => !isSame(fresh, used),
        () => false,
      )
    },
  }
}

function isSame(one: Credentials, other: Credentials): boolean {
  return (
    one.consumerKey === other.consumerKey &&
    one.consumerSecret === other.consumerSecret &&
    one.passKey === other.passKey
  )
}
