import { readdirSync, readFileSync } from 'node:fs'

/**
 * Names one life of a process. A pid alone is not enough: after a reboot or a crash the same number can belong to
 * somebody else's program, and that one must never get our signal.
 */
export type ProcessIdentity = { pid: number; startedAt: string }

/** The kernel's own start time of a process, or undefined when it does not run (or this system has no /proc). */
function startTimeOf(pid: number): string | undefined {
  const fields = statFields(pid)
  return fields?.[0] === 'Z' ? undefined : fields?.[19]
}

export function identify(pid: number): ProcessIdentity {
  return { pid, startedAt: startTimeOf(pid) ?? 'unknown' }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it runs, but belongs to another user.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false
  }
  return !isZombie(pid)
}

/** True only when the pid still is the very process that was recorded. */
export function isSameProcess(identity: ProcessIdentity): boolean {
  if (!isAlive(identity.pid)) return false
  return identity.startedAt === 'unknown' || startTimeOf(identity.pid) === identity.startedAt
}

/** The words of a process's command line, or none when they cannot be read. */
export function commandLineOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean)
  } catch {
    return []
  }
}

function isZombie(pid: number): boolean {
  return statFields(pid)?.[0] === 'Z'
}

/** The fields of /proc/PID/stat from the third on: state, parent, group, ... */
function statFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in parentheses and may hold spaces, so count from the last ')'.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

export type GroupMember = { pid: number; parent: number; words: string[] }

/** The living processes of a group. Zombies do not count: they only wait for a parent that may never ask. */
export function processesOfGroup(group: number): GroupMember[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      const pid = Number(name)
      const [state, parent, itsGroup] = statFields(pid) ?? []
      const counts = itsGroup === String(group) && state !== 'Z'
      return counts ? [{ pid, parent: Number(parent), words: commandLineOf(pid) }] : []
    })
}
