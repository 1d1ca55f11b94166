import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { shortestSecret } from '../relay/encryption-key.ts'
import { fitsKey, keyCheckSetting } from '../relay/vault.ts'
import { type Check, type Surroundings, setting } from './check.ts'
import { type Finding, type FindingText, findingsOf } from './finding.ts'
import { findRelayFolder, noRelay } from './relay-folder.ts'
import { openStoreLook } from './store-look.ts'
import { hasTable } from './stores.ts'

const texts = {
  'key-wrong': {
    level: 'error',
    what: 'the encryption key of {where} is not the one that this store was written with',
    why: 'the relay refuses to start: callbacks find nobody, and no delivery can be signed',
    mend: 'put back the RELAY_ENCRYPTION_KEY, or the file encryption-key in RELAY_DATA_DIR, that the store was made with; without it make every app anew',
  },
  'key-lost': {
    level: 'error',
    what: 'the store holds secrets of apps, and there is no key: RELAY_ENCRYPTION_KEY is not set and {path} is not there',
    why: 'the relay refuses to start: callbacks find nobody',
    mend: 'set RELAY_ENCRYPTION_KEY, or put the file back from a backup, or set RELAY_DATA_DIR to the folder that has it',
  },
  'key-readable': {
    level: 'error',
    what: '{path} may be read by others (mode {mode})',
    why: 'who has it and the store can sign deliveries as your relay: payments that nobody made',
    mend: 'chmod 600 {path}',
  },
  'key-short': {
    level: 'error',
    what: 'the encryption key of {where} has fewer than {shortest} characters',
    why: 'whatever is shorter can be guessed, and the relay refuses it',
    mend: 'set RELAY_ENCRYPTION_KEY to the output of `openssl rand -hex 32` before the first app is made',
  },
} as const satisfies Record<string, FindingText>

const find = findingsOf('encryption-key', texts)

type KeyFacts = {
  /** Whose key it is that the relay would take, and whether it is long enough and fits the store; null where there is none. */
  readonly key: {
    readonly where: string
    readonly isLongEnough: boolean
    /** Null where the store has no check value, or could not be asked. */
    readonly fitsStore: boolean | null
  } | null
  readonly path: string
  /** Of the file, in octal digits; null where there is none, or it is not used. */
  readonly mode: string | null
  readonly storeHasCheck: boolean
}

export const encryptionKey: Check = {
  name: 'encryption-key',
  about: 'the key of the apps’ secrets',
  texts,
  async run(surroundings) {
    const dataFolder = findRelayFolder(surroundings)
    return dataFolder === null ? { skipped: noRelay } : judgeKey(await gatherKey(surroundings, dataFolder))
  },
}

function judgeKey({ key, path, mode, storeHasCheck }: KeyFacts): Finding[] {
  // Without a store the first start makes one.
  if (key === null) return storeHasCheck ? [find('key-lost', { path })] : []
  const { where } = key
  return [
    ...(mode === null || mode.endsWith('00') ? [] : [find('key-readable', { path, mode })]),
    ...(key.isLongEnough ? [] : [find('key-short', { where, shortest: shortestSecret })]),
    ...(key.fitsStore === false ? [find('key-wrong', { where })] : []),
  ]
}

async function gatherKey(surroundings: Surroundings, dataFolder: string): Promise<KeyFacts> {
  const path = join(dataFolder, 'encryption-key')
  const set = setting(surroundings, 'RELAY_ENCRYPTION_KEY')
  const stats = statSync(path, { throwIfNoEntry: false })
  const value = set ?? (stats === undefined ? null : readFileSync(path, 'utf8').trim())
  const check = await readKeyCheck(surroundings, dataFolder)
  return {
    key:
      value === null
        ? null
        : {
            where: set === null ? path : 'RELAY_ENCRYPTION_KEY',
            isLongEnough: value.length >= shortestSecret,
            fitsStore: check === null ? null : fitsKey(check, value),
          },
    path,
    mode: set !== null || stats === undefined ? null : (stats.mode & 0o777).toString(8).padStart(3, '0'),
    storeHasCheck: check !== null,
  }
}

/** Null where there is none. A store that is away has a check of its own. */
async function readKeyCheck(surroundings: Surroundings, dataFolder: string): Promise<string | null> {
  const databaseUrl = setting(surroundings, 'DATABASE_URL')
  if (databaseUrl !== null && surroundings.isOffline) return null
  try {
    await using look = await openStoreLook(
      databaseUrl === null ? { path: join(dataFolder, 'relay.db') } : { databaseUrl },
    )
    if (look === null || !(await hasTable(look, 'relay_settings'))) return null
    const [row] = await look.rows<{ readonly value: string }>(
      `SELECT value FROM relay_settings WHERE name = '${keyCheckSetting}'`,
    )
    return row?.value ?? null
  } catch {
    return null
  }
}
