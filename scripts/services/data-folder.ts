import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asUser, type ServiceUser } from './service-user.ts'

/** A Unix socket's path may have 107 bytes; the longest one here is `<folder>/sockets/.s.PGSQL.65535.lock`. */
const longestSocketName = '/sockets/.s.PGSQL.65535.lock'.length
const socketPathLimit = 107

/**
 * The folder that holds the servers' data, owned by the user that runs them.
 *
 * Normally `.services/data`. When that user may not enter it (a checkout under a root-only home) or its path is too
 * long for a socket, a folder under the temp dir, whose name the registry remembers.
 */
export function dataFolder(
  servicesFolder: string,
  remembered: string | undefined,
  user: ServiceUser | undefined,
): string {
  const wanted = [join(servicesFolder, 'data'), remembered].filter(folder => folder !== undefined)
  for (const folder of wanted) {
    if (prepare(folder, user)) return folder
  }
  const folder = mkdtempSync(join(tmpdir(), 'mpesa-services-'))
  if (prepare(folder, user)) return folder
  throw new Error(
    `found no folder that ${user?.name ?? 'you'} may write: tried ${[...wanted, folder].join(', ')}\n` +
      'was one of them made by another user? remove it, or run as that user',
  )
}

function prepare(folder: string, user: ServiceUser | undefined): boolean {
  if (Buffer.byteLength(folder) + longestSocketName > socketPathLimit) return false
  try {
    mkdirSync(folder, { recursive: true })
    if (user) chownSync(folder, user.uid, user.gid)
    chmodSync(folder, 0o700)
  } catch {
    return false
  }
  // Asked of the system as that user, because every folder on the way down counts too.
  const entered = spawnSync('sh', ['-c', 'cd "$1" && test -w .', 'sh', folder], { ...asUser(user), cwd: '/' })
  return entered.status === 0
}
