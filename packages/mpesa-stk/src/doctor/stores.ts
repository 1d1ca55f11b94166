import { join, resolve } from 'node:path'
import { describeError } from '../core/errors.ts'
import { paymentSchema as postgresPayments } from '../store/postgres/payment-schema.ts'
import { relaySchema as postgresRelay } from '../store/postgres/relay-schema.ts'
import { paymentSchema as sqlitePayments } from '../store/sqlite/payment-schema.ts'
import { relaySchema as sqliteRelay } from '../store/sqlite/relay-schema.ts'
import { type Check, isSkipped, type Skipped, type Surroundings, setting } from './check.ts'
import { judgeStore, type StoreFacts, storeTexts } from './judge-store.ts'
import { notUsed, readLibrarySettings } from './library-settings.ts'
import { findRelayFolder, noRelay } from './relay-folder.ts'
import { openStoreLook, type StoreLook, type StoreSchema } from './store-look.ts'

/** The library's store: payments and their trails. */
export const paymentStore: Check = {
  name: 'payment-store',
  about: 'the store of payments',
  texts: storeTexts,
  async run(surroundings) {
    const path = setting(surroundings, 'MPESA_STORE_FILE')
    const isUsed = path !== null || readLibrarySettings(surroundings) !== null
    const facts = await gatherStore(surroundings, {
      schema: { postgres: postgresPayments, sqlite: sqlitePayments },
      path: path === null ? null : resolve(surroundings.folder, path),
      isNeeded: isUsed,
      notUsed: isUsed ? 'neither DATABASE_URL nor MPESA_STORE_FILE says where payments are' : notUsed,
      migrate: 'call `await store.migrate()` once at every start, and start the shop with this release',
    })
    return isSkipped(facts) ? facts : judgeStore('payment-store', facts)
  },
}

/** The relay's store: apps, events and their deliveries. */
export const relayStore: Check = {
  name: 'relay-store',
  about: 'the store of the relay',
  texts: storeTexts,
  async run(surroundings) {
    const dataFolder = findRelayFolder(surroundings)
    const facts = await gatherStore(surroundings, {
      schema: { postgres: postgresRelay, sqlite: sqliteRelay },
      path: dataFolder === null ? null : join(dataFolder, 'relay.db'),
      isNeeded: dataFolder !== null,
      notUsed: noRelay,
      migrate: 'start the relay of this release once (`mpesa-stk relay`): it makes and upgrades its tables',
    })
    return isSkipped(facts) ? facts : judgeStore('relay-store', facts)
  },
}

type Wanted = {
  readonly schema: StoreSchema
  /** The SQLite file, where there is no DATABASE_URL. */
  readonly path: string | null
  /** A database may be there for the other one of the two alone. */
  readonly isNeeded: boolean
  readonly notUsed: string
  readonly migrate: string
}

async function gatherStore(surroundings: Surroundings, wanted: Wanted): Promise<StoreFacts | Skipped> {
  const { schema, path, isNeeded, migrate } = wanted
  const databaseUrl = setting(surroundings, 'DATABASE_URL')
  if (databaseUrl === null && path === null) return { skipped: wanted.notUsed }
  if (databaseUrl !== null && surroundings.isOffline) return { skipped: 'it asks the database, and --offline was said' }
  const facts = {
    where: databaseUrl === null ? `in ${path}` : 'of DATABASE_URL',
    newest: schema.sqlite.migrations.length,
    migrate,
  }
  try {
    await using look = await openStoreLook(databaseUrl === null ? { path: path ?? '' } : { databaseUrl })
    const version = look === null ? 0 : await readVersion(look, schema.sqlite.table)
    if (version === 0 && !isNeeded) return { skipped: wanted.notUsed }
    const missing = look === null || version !== facts.newest ? [] : await findMissing(look, schema)
    return { ...facts, state: { outcome: 'open', version, missing } }
  } catch (error) {
    const { name = 'error', code } = describeError(error)
    return { ...facts, state: { outcome: 'away', code: code ?? name } }
  }
}

async function readVersion(look: StoreLook, table: string): Promise<number> {
  if (!(await hasTable(look, table))) return 0
  const [row] = await look.rows<{ readonly version: number }>(
    `SELECT coalesce(max(version), 0) AS version FROM ${table}`,
  )
  return Number(row?.version ?? 0)
}

export async function hasTable(look: StoreLook, table: string): Promise<boolean> {
  return (await look.shape()).some(name => name.startsWith(`${table}.`))
}

async function findMissing(look: StoreLook, schema: StoreSchema): Promise<readonly string[]> {
  const found = new Set(await look.shape())
  return (await look.expectedShape(schema))?.filter(name => !found.has(name)) ?? []
}
