import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { identify, isSameProcess, type ProcessIdentity } from './process-identity.ts'

/** What `npm run services` remembers between two calls: `.services/services.json`. */
export type Registry = {
  /** Where the servers keep their data: `.services/data`, or a folder under the temp dir (see data-folder.ts). */
  dataFolder?: string
  postgres?: RunningService
  redis?: RunningService
}

export type RunningService = ProcessIdentity & { port: number; url: string; version: string }

export type Started = { service: RunningService; did: 'started' | 'already ran' }

export const servicesFolder = join(fileURLToPath(new URL('../..', import.meta.url)), '.services')

export function readRegistry(folder: string = servicesFolder): Registry {
  const file = join(folder, 'services.json')
  if (!existsSync(file)) return {}
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Registry
  } catch {
    // Half a file cannot happen (see writeRegistry); a hand-edited one can. Starting anew is safe: running servers
    // are found again through their own pid files.
    return {}
  }
}

/** Replaces the file in one step, so that a reader or a kill never meets half of it. */
export function writeRegistry(registry: Registry, folder: string = servicesFolder): void {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'services.json')
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(registry, null, 2)}\n`)
  renameSync(draft, file)
}

/** One start or stop at a time; a lock left by a killed process is taken over. */
export async function withLock<T>(work: () => Promise<T>, folder: string = servicesFolder): Promise<T> {
  const file = join(folder, 'lock')
  mkdirSync(dirname(file), { recursive: true })
  for (let waited = false; !takeLock(file); waited = true) {
    if (!waited) console.error('another `npm run services` is at work; waiting for it')
    await sleep(200)
  }
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}

function takeLock(file: string): boolean {
  const holder = readHolder(file)
  if (holder && isSameProcess(holder)) return false
  // Left by a process that is gone.
  rmSync(file, { force: true })
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, JSON.stringify(identify(process.pid)))
  try {
    // Unlike a write, a link appears at once with its content, and never replaces what another has just put there.
    linkSync(draft, file)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft)
  }
}

function readHolder(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity
  } catch {
    return undefined
  }
}
