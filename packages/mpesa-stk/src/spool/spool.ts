import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, renameSync, statSync } from 'node:fs'
import { type FileHandle, open, readFile, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../core/ports.ts'
import { sha256 } from '../core/sha256.ts'
import { Batcher } from '../workers/batcher.ts'
import { frame, readFrames } from './frame.ts'

const fileName = /^spool-(\d{12})-[0-9a-f]{12}\.log$/
/** A file is begun anew after so many bytes, so that what was drained leaves the disk early. */
const maxFileBytes = 16 * 1024 * 1024
const drainAtOnce = 200
/** A bad sector is not read by trying on. */
const hopelessAfter = 5
const drainBytesAtOnce = 1024 * 1024

type SpoolFile = { readonly path: string; bytes: number }
type Current = SpoolFile & { readonly handle: FileHandle }

/**
 * Records on the local disk, in the order in which they came, for the time when the store cannot take them. What `append`
 * resolved for is on the disk. A file is removed once everything in it was handled: after a crash in between, its records
 * come again.
 *
 * Who opens a folder takes over every file in it by giving it a name of his own. The file may be a living process's: that one
 * looks after each write whether its file still has its name, and writes once more where it has not. So processes that share
 * a folder, by mistake or while one replaces the other, lose nothing, and no lock can be left behind.
 */
export class Spool {
  readonly #folder: string
  readonly #logger: Logger
  readonly #owner = randomBytes(6).toString('hex')
  readonly #writes: Batcher<Uint8Array, undefined>
  /** Files that nothing more is written to, the oldest first. */
  readonly #closed: SpoolFile[] = []
  readonly #failedReads = new Map<string, number>()
  #current: Current | null = null
  #lastNumber = 0
  #waiting = 0
  #whenWritten: (() => void)[] = []

  private constructor(folder: string, logger: Logger) {
    this.#folder = folder
    this.#logger = logger
    this.#writes = new Batcher({
      maxBatch: 256,
      maxQueued: 10_000,
      weight: { of: record => record.length, maxBatchBytes: 4 * 1024 * 1024, maxQueuedBytes: 64 * 1024 * 1024 },
      failsTogether: true,
      write: records => this.#write(records),
    })
  }

  /** Opens a folder, made for its owner's eyes only if it is not there. */
  static open(folder: string, logger: Logger): Spool {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return new Spool(folder, logger)
  }

  /**
   * Takes over the files of others that nobody has touched for so long: of a process that died, or that took them and never
   * drained them. Whoever takes a file has to drain it.
   */
  takeOver(untouchedForMs: number): void {
    const names = readdirSync(this.#folder)
    const numberOf = (name: string): number => Number(/^spool-(\d{12})-/.exec(name)?.[1] ?? 0)
    this.#lastNumber = Math.max(this.#lastNumber, ...names.map(numberOf))
    const others = names.filter(name => fileName.test(name) && !name.includes(this.#owner))
    for (const name of others.sort()) this.#take(join(this.#folder, name), untouchedForMs)
  }

  #take(path: string, untouchedForMs: number): void {
    try {
      const { ctimeMs, size } = statSync(path)
      // A file's time is finer than ours, and must not be after it.
      if (Date.now() - Math.floor(ctimeMs) < untouchedForMs) return
      const taken = this.#nextPath()
      renameSync(path, taken)
      this.#closed.push({ path: taken, bytes: size })
    } catch (error) {
      // Somebody else was first, or has drained it.
      if (codeOf(error) !== 'ENOENT') throw error
    }
  }

  /** Whether something is in it: then whatever comes goes behind that. */
  get isEmpty(): boolean {
    return this.#closed.length === 0 && this.#current === null && this.#waiting === 0
  }

  /** Files that wait to be drained, the one that is written to included. */
  get files(): number {
    return this.#closed.length + (this.#current === null ? 0 : 1)
  }

  /** Bytes that wait to be drained. */
  get bytes(): number {
    return this.#closed.reduce((sum, { bytes }) => sum + bytes, this.#current?.bytes ?? 0)
  }

  /** Resolves when the record is on the disk. Rejects when the disk does not take it: then it is not there. */
  async append(record: Uint8Array): Promise<void> {
    this.#waiting++
    try {
      await this.#writes.push(record)
    } finally {
      this.#waiting--
    }
  }

  /**
   * Hands everything that is in it now to `handle`, in order, and forgets what it took. Rejects with what `handle` rejects
   * with: then that and all that follows stays.
   */
  async drain(handle: (records: readonly Uint8Array[]) => Promise<void>): Promise<void> {
    await this.#closeCurrent()
    for (let left = this.#closed.length; left > 0; left--) {
      const [file] = this.#closed
      if (file === undefined) return
      await this.#drainFile(file.path, handle)
      this.#closed.shift()
    }
  }

  async #drainFile(path: string, handle: (records: readonly Uint8Array[]) => Promise<void>): Promise<void> {
    const bytes = await this.#read(path)
    if (bytes === null) return
    const { records, tornBytes } = readFrames(bytes)
    for (const slice of slices(records)) {
      await handle(slice)
      // Whoever waits for this process comes in between.
      await new Promise(resolve => setImmediate(resolve))
    }
    if (tornBytes === 0) return unlink(path).catch(ignoreAbsence)
    // The end of a write that was cut off, and so never acknowledged; or a disk that lies, and then a person must look.
    this.#logger.error({ path, tornBytes }, 'a part of a spool file could not be read; the file was put aside')
    await rename(path, `${path}.torn`).catch(ignoreAbsence)
  }

  /** Null for a file that another process took over, and for one that the disk no longer reads, which is put aside. */
  async #read(path: string): Promise<Uint8Array | null> {
    try {
      return await readFile(path)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return null
      // Too many open files, or a disk that is away for a moment: the next time it may be read.
      if (!this.#isHopeless(path, error)) throw error
      this.#logger.error({ path, code: codeOf(error) }, 'a spool file could not be read; it was put aside for a person')
      await rename(path, `${path}.torn`)
      return null
    }
  }

  #isHopeless(path: string, error: unknown): boolean {
    if (codeOf(error) === 'EISDIR') return true
    const failures = (this.#failedReads.get(path) ?? 0) + 1
    this.#failedReads.set(path, failures)
    return codeOf(error) === 'EIO' && failures >= hopelessAfter
  }

  /** Keeps a record that nobody can take where a person finds it, out of the way of the others. */
  async putAside(record: Uint8Array): Promise<void> {
    // By what is in it: while others of its file wait for the store it comes again and again.
    const path = join(this.#folder, `refused-${sha256(record).slice(0, 32)}.frame`)
    const handle = await open(path, 'w', 0o600)
    try {
      await handle.writeFile(frame(record))
      await handle.datasync()
      await this.#syncFolder()
    } finally {
      await handle.close()
    }
    this.#logger.error({ path }, 'nobody can take a callback for what is in it; it was put aside for a person')
  }

  /** Whether the disk takes anything at all. */
  async canWrite(): Promise<boolean> {
    const path = join(this.#folder, `probe-${this.#owner}`)
    try {
      const handle = await open(path, 'w', 0o600)
      try {
        await handle.writeFile(Buffer.alloc(4_096, 1))
      } finally {
        await handle.close()
      }
      return true
    } catch {
      return false
    } finally {
      await unlink(path).catch(() => undefined)
    }
  }

  async close(): Promise<void> {
    await this.#writes.idle()
    await this.#closeCurrent()
  }

  /** With the write that is under way, if one is: under a load that never pauses there is no moment between two. */
  async #closeCurrent(): Promise<void> {
    if (this.#writes.isBusy) await new Promise<void>(resolve => this.#whenWritten.push(resolve))
    else await this.#rotate()
  }

  async #rotate(): Promise<void> {
    const current = this.#current
    if (current === null) return
    this.#current = null
    this.#closed.push({ path: current.path, bytes: current.bytes })
    await current.handle.close()
  }

  async #write(records: readonly Uint8Array[]): Promise<readonly undefined[]> {
    try {
      const bytes = Buffer.concat(records.map(frame))
      // Twice, because a process that opens the folder takes the file over, once; whatever comes after has a new one.
      if (!(await this.#writeBytes(bytes)) && !(await this.#writeBytes(bytes))) {
        throw new Error('other processes take the spool’s files as fast as they are made')
      }
      return records.map(() => undefined)
    } finally {
      const waiting = this.#whenWritten.splice(0)
      if (waiting.length > 0) await this.#rotate().catch(() => undefined)
      for (const resolve of waiting) resolve()
    }
  }

  /** False when the file was taken over by then: who took it may have read it before these bytes. */
  async #writeBytes(bytes: Uint8Array): Promise<boolean> {
    const current = await this.#openCurrent()
    try {
      await current.handle.writeFile(bytes)
      await current.handle.datasync()
    } catch (error) {
      // What was half written would be taken for damage.
      await current.handle.truncate(current.bytes).catch(() => undefined)
      await this.#giveUp(current)
      throw error
    }
    current.bytes += bytes.length
    if (!(await isNamed(current))) {
      this.#current = null
      await current.handle.close()
      return false
    }
    if (current.bytes >= maxFileBytes) await this.#rotate()
    return true
  }

  async #giveUp(current: Current): Promise<void> {
    this.#current = null
    if (current.bytes > 0) this.#closed.push({ path: current.path, bytes: current.bytes })
    await current.handle.close().catch(() => undefined)
    if (current.bytes === 0) await unlink(current.path).catch(() => undefined)
  }

  async #openCurrent(): Promise<Current> {
    if (this.#current !== null) return this.#current
    const path = this.#nextPath()
    const current: Current = { handle: await open(path, 'ax', 0o600), path, bytes: 0 }
    try {
      await this.#syncFolder()
    } catch (error) {
      await this.#giveUp(current)
      throw error
    }
    this.#current = current
    return current
  }

  /** A file's name must survive the machine too. */
  async #syncFolder(): Promise<void> {
    const folder = await open(this.#folder, 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }

  #nextPath(): string {
    return join(this.#folder, `spool-${String(++this.#lastNumber).padStart(12, '0')}-${this.#owner}.log`)
  }
}

function* slices(records: readonly Uint8Array[]): Iterable<readonly Uint8Array[]> {
  let slice: Uint8Array[] = []
  let bytes = 0
  for (const record of records) {
    if (slice.length === drainAtOnce || (slice.length > 0 && bytes + record.length > drainBytesAtOnce)) {
      yield slice
      slice = []
      bytes = 0
    }
    slice.push(record)
    bytes += record.length
  }
  if (slice.length > 0) yield slice
}

/** Whether the name still leads to the file that is written to. */
async function isNamed({ path, handle }: Current): Promise<boolean> {
  const [mine, named] = await Promise.all([handle.stat(), stat(path).catch(ignoreAbsence)])
  return mine.ino === named?.ino
}

function ignoreAbsence(error: unknown): undefined {
  if (codeOf(error) === 'ENOENT') return undefined
  throw error
}

function codeOf(error: unknown): unknown {
  return error instanceof Error ? Reflect.get(error, 'code') : undefined
}
