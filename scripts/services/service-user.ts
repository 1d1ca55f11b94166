import { spawnSync } from 'node:child_process'

/** The account that the servers run as. Undefined: as whoever called us. */
export type ServiceUser = { name: string; uid: number; gid: number }

const userName = 'mpesa-services'

/**
 * PostgreSQL refuses to run as root. A user of its own and not the distribution's `postgres`: this server trusts every
 * local connection, and as `postgres` it would open the machine's real databases to whoever may log in here.
 */
export function serviceUser(): ServiceUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  const existing = lookUp()
  if (existing) return existing
  const made = spawnSync(
    'useradd',
    ['--system', '--user-group', '--no-create-home', '--shell', '/bin/false', userName],
    {
      encoding: 'utf8',
    },
  )
  const user = lookUp()
  if (user) return user
  const why = made.error?.message ?? made.stderr.trim()
  throw new Error(
    `running as root, so the servers need a user of their own, but creating "${userName}" failed: ${why}\n` +
      `create it yourself (useradd --system ${userName}) or run this command as an ordinary user`,
  )
}

function lookUp(): ServiceUser | undefined {
  const found = spawnSync('id', ['-u', userName], { encoding: 'utf8' })
  const group = spawnSync('id', ['-g', userName], { encoding: 'utf8' })
  if (found.status !== 0 || group.status !== 0) return undefined
  return { name: userName, uid: Number(found.stdout), gid: Number(group.stdout) }
}

/** The part of spawn's options that makes a child run as that user. */
export function asUser(user: ServiceUser | undefined): { uid?: number; gid?: number } {
  return user ? { uid: user.uid, gid: user.gid } : {}
}
