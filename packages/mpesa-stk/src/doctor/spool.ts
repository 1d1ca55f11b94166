import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describeError } from '../core/errors.ts'
import type { Check, Surroundings } from './check.ts'
import { type Finding, type FindingText, findingsOf } from './finding.ts'
import { findRelayFolder, noRelay } from './relay-folder.ts'

const texts = {
  'spool-unwritable': {
    level: 'error',
    what: '{path} cannot be written to ({code})',
    why: 'while the store is away the relay has nowhere to keep callbacks, and refuses them: Safaricom may post each only once',
    mend: 'give the relay’s user the folder (`chown`, `chmod 700 {path}`), or set RELAY_DATA_DIR to one that it may write to',
  },
  'disk-full': {
    level: 'error',
    what: 'the disk of {path} has {free} MiB left',
    why: 'when the store is away as well, callbacks are refused, and customers have paid for nothing',
    mend: 'make room now, or set RELAY_DATA_DIR to another disk',
  },
  'disk-low': {
    level: 'warning',
    what: 'the disk of {path} has {free} MiB left',
    why: 'it is where callbacks wait while the store is away: a day of them may not fit',
    mend: 'make room, or set RELAY_DATA_DIR to another disk',
  },
  'spool-waiting': {
    level: 'warning',
    what: '{files} files with {bytes} bytes of callbacks wait in {path}',
    why: 'they are safe, and not delivered yet: merchants do not know of these payments',
    mend: 'wait while the relay brings them to its store; if they stay, start it (`mpesa-stk relay`) and mend what relay-store says',
  },
  'spool-stuck': {
    level: 'error',
    what: '{files} files with {bytes} bytes of callbacks have waited in {path} for {minutes} minutes',
    why: 'merchants do not know of these payments, and nobody brings them to the store',
    mend: 'start the relay on this folder (`mpesa-stk relay`), and mend what relay-store says',
  },
  'spool-refused': {
    level: 'error',
    what: '{files} callbacks that nobody could take were put aside in {path} (refused-….frame)',
    why: 'each may be a payment that no merchant knows of',
    mend: 'look into each file (12 bytes, then what was sent) and settle it by hand (`payments show`, Safaricom’s statement), then remove it',
  },
  'spool-torn': {
    level: 'error',
    what: '{files} files of callbacks that could not be read were put aside in {path} (.torn)',
    why: 'a write was cut off before it was acknowledged, or a disk lies: then payments are in there that no merchant knows of',
    mend: 'look into each file, compare with Safaricom’s statement, check the disk (`smartctl -a`), then remove it',
  },
} as const satisfies Record<string, FindingText>

const find = findingsOf('spool', texts)

const mebibyte = 1024 * 1024
const fullMebibytes = 64
const lowMebibytes = 1024
/** A relay that runs tries every second. */
const stuckAfterMs = 5 * 60_000

type Kind = 'waiting' | 'refused' | 'torn'

const kinds: readonly (readonly [Kind, RegExp])[] = [
  ['torn', /\.torn$/],
  ['refused', /^refused-.*\.frame$/],
  ['waiting', /^spool-.*\.log$/],
]

export type SpoolFile = { readonly name: string; readonly bytes: number; readonly changedAt: Date }

export type SpoolFacts = {
  readonly path: string
  /** Why it cannot be written to; null where it can. */
  readonly unwritable: string | null
  /** For this user; null where the disk does not say. */
  readonly freeBytes: number | null
  readonly files: readonly SpoolFile[]
  readonly now: Date
}

export const spool: Check = {
  name: 'spool',
  about: 'the disk that callbacks wait on while the store is away',
  texts,
  async run(surroundings) {
    const dataFolder = findRelayFolder(surroundings)
    return dataFolder === null ? { skipped: noRelay } : judgeSpool(gatherSpool(surroundings, join(dataFolder, 'spool')))
  },
}

export function judgeSpool({ path, unwritable, freeBytes, files, now }: SpoolFacts): Finding[] {
  const of = (kind: Kind): readonly SpoolFile[] =>
    files.filter(({ name }) => kinds.find(([, pattern]) => pattern.test(name))?.[0] === kind)
  const free = freeBytes === null ? Number.POSITIVE_INFINITY : Math.floor(freeBytes / mebibyte)
  const aside = (name: 'spool-refused' | 'spool-torn', count: number): Finding[] =>
    count === 0 ? [] : [find(name, { files: count, path })]
  return [
    ...(unwritable === null ? [] : [find('spool-unwritable', { path, code: unwritable })]),
    ...(free >= lowMebibytes ? [] : [find(free < fullMebibytes ? 'disk-full' : 'disk-low', { path, free })]),
    ...judgeWaiting(of('waiting'), path, now),
    ...aside('spool-refused', of('refused').length),
    ...aside('spool-torn', of('torn').length),
  ]
}

function judgeWaiting(waiting: readonly SpoolFile[], path: string, now: Date): Finding[] {
  if (waiting.length === 0) return []
  const waitedMs = now.getTime() - Math.min(...waiting.map(({ changedAt }) => changedAt.getTime()))
  const bytes = waiting.reduce((sum, file) => sum + file.bytes, 0)
  const minutes = Math.floor(waitedMs / 60_000)
  return [
    find(waitedMs < stuckAfterMs ? 'spool-waiting' : 'spool-stuck', { files: waiting.length, bytes, path, minutes }),
  ]
}

function gatherSpool({ now }: Surroundings, path: string): SpoolFacts {
  // The first start makes what is missing.
  const folder = existingFolder(path)
  const unwritable = tryWriting(folder)
  const names = existsSync(path) && unwritable !== 'ENOTDIR' ? readdirSync(path) : []
  return { path, unwritable, freeBytes: readFree(folder), files: names.flatMap(name => readFile(path, name)), now }
}

function existingFolder(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : existingFolder(dirname(path))
}

/** By writing: whoever is asked for permissions says yes to root, on a disk that is read-only too. */
function tryWriting(folder: string): string | null {
  const probe = join(folder, `probe-${randomBytes(6).toString('hex')}`)
  try {
    writeFileSync(probe, Buffer.alloc(4_096, 1), { flag: 'wx', mode: 0o600 })
    rmSync(probe)
    return null
  } catch (error) {
    // A disk that is full makes the file, and nothing in it.
    if (existsSync(probe)) rmSync(probe)
    const { name = 'error', code } = describeError(error)
    return code ?? name
  }
}

function readFree(folder: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  } catch {
    return null
  }
}

/** None where the relay was faster. */
function readFile(folder: string, name: string): readonly SpoolFile[] {
  const stats = statSync(join(folder, name), { throwIfNoEntry: false })
  return stats === undefined ? [] : [{ name, bytes: stats.size, changedAt: stats.mtime }]
}
