import { mkdirSync, readdirSync } from 'node:fs'
import { appendFile, type FileHandle, open, readFile, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../core/ports.ts'
import { Batcher } from '../workers/batcher.ts'
import { frame, readFrames } from './frame.ts'

const fileName = /^spool-(\d{12})\.log$/
/** A file is begun anew after so many bytes, so that what was drained leaves the disk early. */
const maxFileBytes = 16 * 1024 * 1024
const drainAtOnce = 200

type Current = { readonly handle: FileHandle; readonly path: string; bytes: number }

/**
 * Records on the local disk, in the order in which they came, for the time when the store cannot take them. What `append`
 * resolved for is on the disk. A file is removed once everything in it was handled: after a crash in between, its records
 * come again.
 */
export class Spool {
  readonly #folder: string
  readonly #logger: Logger
  readonly #writes: Batcher<Uint8Array, undefined>
  /** Files that nothing more is written to, the oldest first. */
  readonly #closed: string[] = []
  #current: Current | null = null
  #lastNumber = 0
  #waiting = 0
  #whenWritten: (() => void)[] = []

  private constructor(folder: string, logger: Logger) {
    this.#folder = folder
    this.#logger = logger
    this.#writes = new Batcher({ maxBatch: 256, maxQueued: 10_000, write: records => this.#write(records) })
  }

  /** Opens a folder, made for its owner's eyes only if it is not there, with what a process before left in it. */
  static open(folder: string, logger: Logger): Spool {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const spool = new Spool(folder, logger)
    const left = readdirSync(folder)
      .filter(name => fileName.test(name))
      .sort()
    spool.#closed.push(...left.map(name => join(folder, name)))
    spool.#lastNumber = Number(fileName.exec(left.at(-1) ?? '')?.[1] ?? 0)
    return spool
  }

  /** Whether something is in it: then whatever comes goes behind that. */
  get isEmpty(): boolean {
    return this.#closed.length === 0 && this.#current === null && this.#waiting === 0
  }

  /** Files that wait to be drained, the one that is written to included. */
  get files(): number {
    return this.#closed.length + (this.#current === null ? 0 : 1)
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
   * Hands everything to `handle`, in order, and forgets what it took. Rejects with what `handle` rejects with: then that and
   * all that follows stays.
   */
  async drain(handle: (records: readonly Uint8Array[]) => Promise<void>): Promise<void> {
    for (;;) {
      if (this.#closed.length === 0) await this.#closeCurrent()
      const [path] = this.#closed
      if (path === undefined) return
      const { records, tornBytes } = readFrames(await readFile(path))
      for (let index = 0; index < records.length; index += drainAtOnce) {
        await handle(records.slice(index, index + drainAtOnce))
      }
      if (tornBytes > 0) {
        // The end of a write that was cut off, and so never acknowledged; or a disk that lies, and then a person must look.
        this.#logger.error({ path, tornBytes }, 'the end of a spool file could not be read; the file was put aside')
        await rename(path, `${path}.torn`)
      } else {
        await unlink(path)
      }
      this.#closed.shift()
    }
  }

  /** Keeps a record that nobody can take where a person finds it, out of the way of the others. */
  async putAside(record: Uint8Array): Promise<void> {
    const path = join(this.#folder, 'refused.frames')
    await appendFile(path, frame(record), { mode: 0o600 })
    this.#logger.error({ path }, 'the store refused a callback for what is in it; it was put aside for a person')
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
    this.#closed.push(current.path)
    await current.handle.close()
  }

  async #write(records: readonly Uint8Array[]): Promise<readonly undefined[]> {
    try {
      await this.#writeRecords(records)
      return records.map(() => undefined)
    } finally {
      const waiting = this.#whenWritten.splice(0)
      if (waiting.length > 0) await this.#rotate().catch(() => undefined)
      for (const resolve of waiting) resolve()
    }
  }

  async #writeRecords(records: readonly Uint8Array[]): Promise<void> {
    const bytes = Buffer.concat(records.map(frame))
    const current = await this.#openCurrent()
    try {
      await current.handle.writeFile(bytes)
      await current.handle.datasync()
      current.bytes += bytes.length
    } catch (error) {
      // What was half written would hide what is written after it.
      await current.handle.truncate(current.bytes).catch(() => undefined)
      this.#current = null
      if (current.bytes > 0) this.#closed.push(current.path)
      await current.handle.close().catch(() => undefined)
      if (current.bytes === 0) await unlink(current.path).catch(() => undefined)
      throw error
    }
    if (current.bytes >= maxFileBytes) await this.#rotate()
  }

  async #openCurrent(): Promise<Current> {
    if (this.#current !== null) return this.#current
    const path = join(this.#folder, `spool-${String(++this.#lastNumber).padStart(12, '0')}.log`)
    const handle = await open(path, 'ax', 0o600)
    // The file's name must survive the machine too.
    const folder = await open(this.#folder, 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
    this.#current = { handle, path, bytes: 0 }
    return this.#current
  }
}
