import { sql as relay } from '../migrations/postgres/relay-0001.ts'
import type { Schema } from './migrate.ts'

/** The tables of the relay. */
export const relaySchema: Schema = {
  table: 'relay_migrations',
  migrations: [{ version: 1, name: 'relay', sql: relay }],
}
