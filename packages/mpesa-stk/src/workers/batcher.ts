/** Told to whoever comes when there is no room: the queue is as long as it may be. */
class BatcherFull extends Error {
  constructor() {
    super('the queue is full')
    this.name = 'BatcherFull'
  }
}

export type BatcherOptions<Item, Result> = {
  readonly maxBatch: number
  readonly maxQueued: number
  /** How long a batch waits for company, where nobody waits for it. Default 0: what comes in one turn of the event loop. */
  readonly gatherMs?: number
  /** What an item weighs, where items may be large: then batch and queue are bounded by this as well. */
  readonly weight?: {
    readonly of: (item: Item) => number
    readonly maxBatchBytes: number
    readonly maxQueuedBytes: number
  }
  /**
   * Where a batch fails, everybody who waits fails with it: for writes of which one that fails tells that the next will, and
   * whose callers have somewhere else to go.
   */
  readonly failsTogether?: boolean
  /** Writes a batch in one commit, and tells the result of each item in its order. */
  readonly write: (items: readonly Item[]) => Promise<readonly Result[]>
}

type Waiting<Item, Result> = {
  readonly item: Item
  readonly bytes: number
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * Shares commits: what comes while one is under way goes into the next. Unless it is told to, nothing waits for company, so an
 * idle process adds no delay. Where a batch fails, everybody in it hears why.
 */
export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>
  #queue: Waiting<Item, Result>[] = []
  #queuedBytes = 0
  #isWriting = false
  #whenIdle: (() => void)[] = []

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options
  }

  get queued(): number {
    return this.#queue.length
  }

  /** Whether something is being written, or waits to be. */
  get isBusy(): boolean {
    return this.#isWriting
  }

  /** @throws BatcherFull */
  push(item: Item): Promise<Result> {
    const { maxQueued, weight } = this.#options
    const bytes = weight?.of(item) ?? 0
    const isFull = this.#queue.length >= maxQueued || this.#queuedBytes + bytes > (weight?.maxQueuedBytes ?? Infinity)
    if (isFull) return Promise.reject(new BatcherFull())
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, bytes, resolve, reject })
      this.#queuedBytes += bytes
      if (this.#isWriting) return
      this.#isWriting = true
      // Whoever came in the same turn of the event loop shares the first commit.
      setImmediate(() => void this.#writeAll())
    })
  }

  /** Resolves when everything that was pushed has been written, or has failed. */
  async idle(): Promise<void> {
    if (!this.#isWriting) return
    await new Promise<void>(resolve => this.#whenIdle.push(resolve))
  }

  async #writeAll(): Promise<void> {
    const { gatherMs, maxBatch } = this.#options
    while (this.#queue.length > 0) {
      if (gatherMs !== undefined && this.#queue.length < maxBatch) await new Promise(go => setTimeout(go, gatherMs))
      const batch = this.#take(this.#nextLength())
      try {
        const results = await this.#options.write(batch.map(({ item }) => item))
        for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result)
      } catch (error) {
        const alike = this.#options.failsTogether === true ? this.#take(this.#queue.length) : []
        for (const { reject } of [...batch, ...alike]) reject(error)
      }
    }
    this.#isWriting = false
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }

  /** At least one, however heavy it is. */
  #nextLength(): number {
    const { maxBatch, weight } = this.#options
    let bytes = 0
    let length = 0
    for (const waiting of this.#queue) {
      bytes += waiting.bytes
      if (length === maxBatch || (length > 0 && bytes > (weight?.maxBatchBytes ?? Infinity))) break
      length++
    }
    return length
  }

  #take(length: number): readonly Waiting<Item, Result>[] {
    const taken = this.#queue.splice(0, length)
    for (const { bytes } of taken) this.#queuedBytes -= bytes
    return taken
  }
}
