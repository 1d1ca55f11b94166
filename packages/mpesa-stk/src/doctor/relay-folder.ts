import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Surroundings, setting } from './check.ts'

const defaultFolder = '.data/relay'

export const noRelay = 'no relay is set up here (no RELAY_… variable, and no .data/relay)'

/** Those that say how a relay is run here; others, the admin token among them, say how one elsewhere is reached. */
const relayVariables = [
  ...['RELAY_DATA_DIR', 'RELAY_ENCRYPTION_KEY', 'RELAY_ALLOW_PRIVATE_TARGETS'],
  ...['RELAY_SOURCE_ALLOW_LIST', 'RELAY_TRUSTED_PROXIES'],
]

/** The data folder of the relay that is run here; null where none is. */
export function findRelayFolder(surroundings: Surroundings): string | null {
  const folder = resolve(surroundings.folder, setting(surroundings, 'RELAY_DATA_DIR') ?? defaultFolder)
  const isSetUp = relayVariables.some(name => setting(surroundings, name) !== null)
  return isSetUp || existsSync(folder) ? folder : null
}
