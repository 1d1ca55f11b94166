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
  /** Writes a batch in one commit, and tells the result of each item in its order. */
  readonly write: (items: readonly Item[]) => Promise<readonly Result[]>
}

type Waiting<Item, Result> = {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * Shares commits: what comes while one is under way goes into the next. Nothing waits for company, so an idle process adds
 * no delay. Where a batch fails, everybody in it hears why.
 */
export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>
  readonly #queue: Waiting<Item, Result>[] = []
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
    if (this.#queue.length >= this.#options.maxQueued) return Promise.reject(new BatcherFull())
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, resolve, reject })
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
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, this.#options.maxBatch)
      try {
        const results = await this.#options.write(batch.map(({ item }) => item))
        for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result)
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.#isWriting = false
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }
}
