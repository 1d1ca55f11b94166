/** A repeatable source of chance. Two with the same seed, asked the same questions in the same order, give the same answers. */
export interface SeededRandom {
  /** A number in [0, 1). */
  next(): number
  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number
  pick<T>(items: readonly [T, ...T[]]): T
  /** `length` characters drawn from `alphabet`. */
  text(length: number, alphabet: string): string
  /**
   * An independent source named by `purpose`. Each concern (ids, receipts, delays) has its own, so that one more draw
   * for a delay does not change the ids of every later payment.
   */
  fork(purpose: string): SeededRandom
}

export const alphabets = {
  digits: '0123456789',
  hex: '0123456789abcdef',
  alphanumeric: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
} as const

// FNV-1a: turns a purpose into 32 bits, so forks of one seed differ.
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  return value >>> 0
}

/** mulberry32: 32 bits of state, fast, and good enough for test data. It must never make a secret. */
export function createSeededRandom(seed: number): SeededRandom {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
  const integer = (min: number, max: number) => min + Math.floor(next() * (max - min + 1))
  return {
    next,
    integer,
    pick: items => items[integer(0, items.length - 1)] ?? items[0],
    text: (length, alphabet) => Array.from({ length }, () => alphabet.charAt(integer(0, alphabet.length - 1))).join(''),
    fork: purpose => createSeededRandom(hash(`${seed}:${purpose}`)),
  }
}
