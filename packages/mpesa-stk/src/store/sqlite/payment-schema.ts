import { sql as payments } from '../migrations/sqlite/0001-payments.ts'
import { sql as accessTokens } from '../migrations/sqlite/0002-access-tokens.ts'
import { sql as dueWork } from '../migrations/sqlite/0003-due-work.ts'
import { sql as auditChain } from '../migrations/sqlite/0004-audit-chain.ts'
import { sql as polling } from '../migrations/sqlite/0005-polling.ts'
import { sql as reconciliations } from '../migrations/sqlite/0006-reconciliations.ts'
import { sql as lookUps } from '../migrations/sqlite/0007-look-ups.ts'
import { sql as vainTries } from '../migrations/sqlite/0008-vain-tries.ts'
import { chainOldEntries } from './chain-old-entries.ts'
import type { Schema } from './migrate.ts'

/** The tables of payments. */
export const paymentSchema: Schema = {
  table: 'mpesa_migrations',
  migrations: [
    { version: 1, name: 'payments', sql: payments },
    { version: 2, name: 'access-tokens', sql: accessTokens },
    { version: 3, name: 'due-work', sql: dueWork },
    { version: 4, name: 'audit-chain', sql: auditChain, finish: chainOldEntries },
    { version: 5, name: 'polling', sql: polling },
    { version: 6, name: 'reconciliations', sql: reconciliations },
    { version: 7, name: 'look-ups', sql: lookUps },
    { version: 8, name: 'vain-tries', sql: vainTries },
  ],
}
