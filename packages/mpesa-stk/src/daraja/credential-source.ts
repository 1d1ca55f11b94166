import type { CredentialProvider, Credentials } from '../core/credentials.ts'
import { MpesaStkError } from '../core/errors.ts'
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
/** And one that fails is left alone for this long, however many customers want to pay. */
const retryEveryMs = 1_000

export function createCredentialSource(provider: CredentialProvider, clock: Clock): CredentialSource {
  let current: Credentials | null = null
  let askedAt = Number.NEGATIVE_INFINITY
  let underWay: Promise<Credentials> | null = null
  let failure: { readonly cause: unknown } | null = null

  /** One question at a time, for all who ask. */
  function ask(): Promise<Credentials> {
    underWay ??= Promise.resolve()
      .then(() => {
        // Also where it fails: a secret manager that is down is asked no more often.
        askedAt = clock.now().getTime()
        return provider()
      })
      .then(provided => {
        current = checked(provided)
        failure = null
        return current
      })
      .catch((cause: unknown) => {
        failure = { cause }
        throw cause
      })
      .finally(() => {
        underWay = null
      })
    return underWay
  }

  return {
    async get() {
      if (current !== null) return current
      const isTooEarly = clock.now().getTime() - askedAt < retryEveryMs
      if (failure !== null && underWay === null && isTooEarly) throw failure.cause
      return ask()
    },
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

/** A provider is somebody else's code: what it gives may be anything. Its values go into no message. */
function checked(provided: Credentials): Credentials {
  const { consumerKey, consumerSecret, passKey } = Object(provided) as Credentials
  for (const [name, value] of Object.entries({ consumerKey, consumerSecret, passKey })) {
    if (typeof value === 'string' && value !== '') continue
    throw new MpesaStkError('MPESA_STK_CONFIG_INVALID', `the credential provider gave no ${name}`)
  }
  return { consumerKey, consumerSecret, passKey }
}

function isSame(one: Credentials, other: Credentials): boolean {
  return (
    one.consumerKey === other.consumerKey &&
    one.consumerSecret === other.consumerSecret &&
    one.passKey === other.passKey
  )
}
