import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPostgresBin } from '../../scripts/services/binaries.ts'
import { dataFolder } from '../../scripts/services/data-folder.ts'
import { startPostgres, stopPostgres } from '../../scripts/services/postgres.ts'
import { serviceUser } from '../../scripts/services/service-user.ts'

/** A PostgreSQL of the test's own, which it may stop. */
export async function openOwnPostgres() {
  const bin = findPostgresBin()
  if (bin === undefined) throw new Error('no PostgreSQL: npm run services -- install')
  const user = serviceUser()
  const root = mkdtempSync(join(tmpdir(), 'pg-'))
  // Its user must find the way to what is his.
  chmodSync(root, 0o711)
  const folder = dataFolder(root, undefined, user)
  let { service } = await startPostgres({ bin, folder, user, preferredPort: undefined })
  return {
    url: service.url,
    stop: () => stopPostgres(service),
    async start() {
      service = (await startPostgres({ bin, folder, user, preferredPort: service.port })).service
    },
    async [Symbol.asyncDispose]() {
      await stopPostgres(service)
      for (const each of [root, folder]) rmSync(each, { recursive: true, force: true })
    },
  }
}
