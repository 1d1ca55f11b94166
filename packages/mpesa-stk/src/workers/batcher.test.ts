import { describe, expect, test } from 'vitest'
import { Batcher, type BatcherOptions } from './batcher.ts'

type Held = { readonly items: readonly string[]; readonly end: () => void; readonly fail: (error: Error) => void }

/** Writes that go on until they are told to end. Items weigh what they are long. */
function openBatcher(options: Partial<BatcherOptions<string, string>> = {}) {
  const writes: Held[] = []
  const batcher = new Batcher<string, string>({
    maxBatch: 100,
    maxQueued: 100,
    write: items =>
      new Promise((resolve, reject) => {
        writes.push({ items, end: () => resolve(items.map(item => `${item}!`)), fail: reject })
      }),
    ...options,
  })
  return {
    batcher,
    /** The write of this number, from 1, when it has begun. */
    async write(number: number): Promise<Held> {
      await expect.poll(() => writes.length, { interval: 1 }).toBeGreaterThanOrEqual(number)
      const held = writes[number - 1]
      if (held === undefined) throw new Error('there is no such write')
      return held
    },
    writes,
    pushAll: (...items: readonly string[]) => items.map(item => batcher.push(item)),
  }
}

const weigh = (limits: { readonly maxBatchBytes?: number; readonly maxQueuedBytes?: number }) => ({
  weight: { of: (item: string) => item.length, maxBatchBytes: 1_000, maxQueuedBytes: 1_000, ...limits },
})

describe('a batch', () => {
  test('is of what came in one turn of the event loop, and then of what came while the last was written', async () => {
    const { batcher, write, writes, pushAll } = openBatcher()
    const first = pushAll('a', 'b')
    expect(batcher.isBusy).toBe(true)
    const held = await write(1)
    expect(held.items).toEqual(['a', 'b'])
    const second = pushAll('c', 'd')
    expect(batcher.queued).toBe(2)
    held.end()
    expect(await Promise.all(first)).toEqual(['a!', 'b!'])
    const next = await write(2)
    expect(next.items).toEqual(['c', 'd'])
    next.end()
    expect(await Promise.all(second)).toEqual(['c!', 'd!'])
    expect(writes).toHaveLength(2)
  })

  test('is of no more items than it may be', async () => {
    const { write, pushAll } = openBatcher({ maxBatch: 2 })
    const pushed = pushAll('a', 'b', 'c', 'd', 'e')
    for (const [index, items] of [['a', 'b'], ['c', 'd'], ['e']].entries()) {
      const held = await write(index + 1)
      expect(held.items).toEqual(items)
      held.end()
    }
    expect(await Promise.all(pushed)).toEqual(['a!', 'b!', 'c!', 'd!', 'e!'])
  })

  test('is of no more bytes than it may be, and what alone is more goes alone', async () => {
    const { write, pushAll } = openBatcher(weigh({ maxBatchBytes: 4 }))
    const pushed = pushAll('aa', 'bb', 'c', 'dddddd', 'eeeee', 'f', 'ggg', 'h')
    for (const [index, items] of [['aa', 'bb'], ['c'], ['dddddd'], ['eeeee'], ['f', 'ggg'], ['h']].entries()) {
      const held = await write(index + 1)
      expect(held.items).toEqual(items)
      held.end()
    }
    expect(await Promise.all(pushed)).toHaveLength(8)
  })
})

describe('a queue that is as long as it may be', () => {
  test('takes nothing more, and takes again when a batch of it is being written', async () => {
    const { batcher, write, pushAll } = openBatcher({ maxQueued: 2 })
    const taken = pushAll('a', 'b')
    await expect(batcher.push('c')).rejects.toThrow('the queue is full')
    const held = await write(1)
    const later = pushAll('d', 'e')
    await expect(batcher.push('f')).rejects.toThrow('the queue is full')
    held.end()
    expect(await Promise.all(taken)).toEqual(['a!', 'b!'])
    const next = await write(2)
    expect(next.items).toEqual(['d', 'e'])
    next.end()
    expect(await Promise.all(later)).toEqual(['d!', 'e!'])
  })

  test('in bytes takes nothing more but what has room, and takes again when a batch of it is being written', async () => {
    const { batcher, write, pushAll } = openBatcher(weigh({ maxQueuedBytes: 10 }))
    const taken = pushAll('aaaa', 'bbbb')
    await expect(batcher.push('ccc')).rejects.toThrow('the queue is full')
    const fits = batcher.push('cc')
    await expect(batcher.push('d')).rejects.toThrow('the queue is full')
    const held = await write(1)
    expect(held.items).toEqual(['aaaa', 'bbbb', 'cc'])
    const later = batcher.push('eeeeeeeeee')
    await expect(batcher.push('f')).rejects.toThrow('the queue is full')
    held.end()
    expect(await Promise.all([...taken, fits])).toHaveLength(3)
    ;(await write(2)).end()
    expect(await later).toBe('eeeeeeeeee!')
  })
})

describe('a write that fails', () => {
  test('fails those of its batch alone, and the next batch is written', async () => {
    const { write, pushAll } = openBatcher({ maxBatch: 2 })
    const [a, b, c] = pushAll('a', 'b', 'c')
    const failed = Promise.allSettled([a, b])
    ;(await write(1)).fail(new Error('no disk'))
    const reason = new Error('no disk')
    expect(await failed).toEqual([
      { status: 'rejected', reason },
      { status: 'rejected', reason },
    ])
    const next = await write(2)
    expect(next.items).toEqual(['c'])
    next.end()
    expect(await c).toBe('c!')
  })

  test('fails all who wait, where they fail together, and whoever comes after is written', async () => {
    const { batcher, write, writes, pushAll } = openBatcher({ maxBatch: 2, failsTogether: true, ...weigh({}) })
    const all = Promise.allSettled(pushAll('a', 'b', 'c', 'd', 'e'))
    ;(await write(1)).fail(new Error('no store'))
    const reason = new Error('no store')
    expect(await all).toEqual(Array(5).fill({ status: 'rejected', reason }))
    expect(writes).toHaveLength(1)
    await batcher.idle()
    expect([batcher.queued, batcher.isBusy]).toEqual([0, false])
    // Nor is their weight left behind.
    const heavy = batcher.push('x'.repeat(1_000))
    ;(await write(2)).end()
    expect(await heavy).toBe(`${'x'.repeat(1_000)}!`)
  })

  test('by throwing at once is a failure like any other', async () => {
    const { batcher } = openBatcher({
      write() {
        throw new Error('at once')
      },
    })
    await expect(batcher.push('a')).rejects.toThrow('at once')
    await batcher.idle()
    await expect(batcher.push('b')).rejects.toThrow('at once')
  })
})

describe('who waits until nothing is written', () => {
  test('need not wait where nothing is', async () => {
    const { batcher } = openBatcher()
    await batcher.idle()
    expect(batcher.isBusy).toBe(false)
  })

  test('waits for all that was pushed, and hears of it also when it failed', async () => {
    const { batcher, write, pushAll } = openBatcher({ maxBatch: 1 })
    const pushed = Promise.allSettled(pushAll('a', 'b', 'c'))
    let idle = 0
    const waiting = [batcher.idle(), batcher.idle()].map(each => each.then(() => idle++))
    ;(await write(1)).end()
    ;(await write(2)).fail(new Error('no disk'))
    const last = await write(3)
    expect(idle).toBe(0)
    last.end()
    await Promise.all(waiting)
    expect((await pushed).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect([batcher.queued, batcher.isBusy]).toEqual([0, false])
  })
})
