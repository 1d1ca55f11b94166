import { MemoryAdapter } from '../adapters/memory.ts'
import { PostgresAdapter } from '../adapters/postgres.ts'
import { openPostgresPool } from '../cli/postgres-pool.ts'
import { type ResolvedConfig, resolveConfig } from '../core/config.ts'
import { MpesaStkError } from '../core/errors.ts'
import type { Daraja, PushRefusal, QueryOutcome, TokenStore } from '../core/ports.ts'
import { createDarajaClient } from '../daraja/daraja-client.ts'
import { systemClock } from '../platform.ts'
import { type Check, isSkipped, type Skipped, type Surroundings, setting } from './check.ts'
import { accessTexts, type DarajaFacts, judgeDaraja } from './judge-daraja.ts'
import { readLibrarySettings } from './library-settings.ts'

/** No id of Daraja's looks like it, so nobody's payment is asked about. */
const absentId = 'ws_CO_mpesa-stk-doctor'
/** Short of the check's own deadline, so that it is Daraja that is named. */
const timeoutMs = 6_000

/** Credentials and product, by a token and a query that Daraja answers in a known way to who may ask. */
export const darajaAccess: Check = {
  name: 'daraja-access',
  about: 'credentials, and the product behind them',
  texts: accessTexts,
  async run(surroundings) {
    const facts = await gatherDaraja(surroundings)
    return isSkipped(facts) ? facts : judgeDaraja(facts)
  },
}

async function gatherDaraja(surroundings: Surroundings): Promise<DarajaFacts | Skipped> {
  const library = readLibrarySettings(surroundings)
  const secrets = {
    MPESA_CONSUMER_KEY: library?.consumerKey,
    MPESA_CONSUMER_SECRET: library?.consumerSecret,
    MPESA_PASSKEY: library?.passKey,
  }
  const missing = Object.entries(secrets).flatMap(([name, value]) => (value == null ? [name] : []))
  if (library === null || missing.length === 3) return { skipped: 'no credentials are set (MPESA_CONSUMER_KEY …)' }
  if (missing.length > 0) return { missing }
  if (surroundings.isOffline) return { skipped: 'it asks Daraja, and --offline was said' }
  const config = resolved(surroundings)
  if (config === null) return { skipped: 'other settings have to be mended first' }
  const tokens = await openTokenStore(surroundings)
  try {
    return { missing: [], ...(await ask(createDarajaClient(config, systemClock, tokens.store), config.shortCode)) }
  } finally {
    await tokens.close()
  }
}

async function ask(
  daraja: Daraja,
  shortCode: string,
): Promise<{ readonly refusal: PushRefusal | null; readonly query: QueryOutcome | null }> {
  const authorised = await daraja.authorise()
  if (authorised.outcome === 'refused') return { refusal: authorised, query: null }
  return { refusal: null, query: await daraja.query({ shortCode, checkoutRequestId: absentId }) }
}

function resolved(surroundings: Surroundings): ResolvedConfig | null {
  const library = readLibrarySettings(surroundings)
  if (library?.shortCode == null) return null
  const { consumerKey, consumerSecret, passKey, shortCode, darajaEnvironment, baseUrl } = library
  try {
    return resolveConfig({
      ...{ consumerKey: consumerKey ?? '', consumerSecret: consumerSecret ?? '', passKey: passKey ?? '', shortCode },
      callbackUrl: 'https://shop.example/paid',
      environment: darajaEnvironment as 'sandbox',
      timeoutMs,
      ...(baseUrl !== null && { baseUrl }),
    })
  } catch (error) {
    if (error instanceof MpesaStkError) return null
    throw error
  }
}

/**
 * A new token may cancel the one in use [documented], so the one that the payments' processes share is taken where it can be.
 * Elsewhere they recover by one more request.
 */
async function openTokenStore(
  surroundings: Surroundings,
): Promise<{ readonly store: TokenStore; close(): Promise<void> }> {
  const databaseUrl = setting(surroundings, 'DATABASE_URL')
  const alone = { store: new MemoryAdapter(), close: async () => {} }
  if (databaseUrl === null || !URL.canParse(databaseUrl)) return alone
  const pool = await openPostgresPool(databaseUrl, { max: 1 }).catch(() => null)
  if (pool === null) return alone
  try {
    await pool.query('SELECT 1 FROM mpesa_access_tokens LIMIT 1')
    return { store: new PostgresAdapter(pool), close: () => pool.end() }
  } catch {
    await pool.end()
    return alone
  }
}
