import { expect, test } from 'vitest'
import { forwardedByNobody } from '../core/receive/source-of.ts'
import { SourceBook } from './source-book.ts'
import { readRanges, type SourceAllowListMode } from './source-settings.ts'

const safaricom = '196.201.214.200'
const began = Date.parse('2026-04-03T10:00:00.000Z')
const hourMs = 3_600_000

function openBook(mode: SourceAllowListMode, addresses: readonly string[] = []) {
  const lines: string[] = []
  const known: boolean[] = []
  let nowMs = 0
  const write = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`)
  const book = new SourceBook(
    {
      clock: { now: () => new Date(began + nowMs), sleep: () => Promise.reject(new Error('nobody sleeps')) },
      monotonicMs: () => nowMs,
      logger: { info: write, warn: write, error: write },
      onSource: isKnown => void known.push(isKnown),
    },
    { mode, addresses: readRanges('addresses', addresses), trustedProxies: readRanges('proxies', ['10.0.0.1']) },
  )
  return {
    book,
    lines,
    known,
    judge: (address: string): string | null => book.judge(address, forwardedByNobody),
    pass(ms: number) {
      nowMs += ms
    },
  }
}

test('what is observed is counted and taken, what is enforced is told from where it came, and off is off', () => {
  const observed = openBook('observe', ['192.0.2.0/24'])
  expect([safaricom, '192.0.2.1', '203.0.113.9'].map(observed.judge)).toEqual([null, null, null])
  expect(observed.known).toEqual([true, true, false])
  const enforced = openBook('enforce', ['192.0.2.0/24'])
  expect([safaricom, '192.0.2.1', '203.0.113.9', ''].map(enforced.judge)).toEqual([
    null,
    null,
    '203.0.113.9',
    'unknown',
  ])
  const off = openBook('off')
  expect([safaricom, '203.0.113.9'].map(off.judge)).toEqual([null, null])
  expect([off.known, off.lines, off.book.list()]).toEqual([[], [], []])
})

test('it is counted by address, those that were last seen first, and the known before the unknown', () => {
  const { book, judge, pass } = openBook('observe')
  for (const address of ['203.0.113.9', safaricom, '196.201.214.1', '203.0.113.9']) {
    judge(address)
    pass(1_000)
  }
  const at = (ms: number): Date => new Date(began + ms)
  const count = (address: string, callbacks: number, fromMs: number, toMs: number) => ({
    address,
    callbacks,
    firstSeenAt: at(fromMs),
    lastSeenAt: at(toMs),
  })
  expect(book.list()).toEqual([
    { ...count(safaricom, 1, 1_000, 1_000), isKnown: true, listing: 'observed' },
    { ...count('203.0.113.9', 2, 0, 3_000), isKnown: false, listing: null },
    { ...count('196.201.214.1', 1, 2_000, 2_000), isKnown: false, listing: 'unverified' },
  ])
})

test('of ever more addresses the last thousand are kept, all are counted, and strangers push out nobody whom we know', () => {
  const { book, judge, known } = openBook('observe')
  judge(safaricom)
  judge('2001:db8::ffff:0')
  for (let number = 0; number < 5_000; number++) {
    judge(`2001:db8::${number.toString(16)}`)
    if (number % 100 === 0) judge('2001:db8::ffff:0')
  }
  const list = book.list()
  expect(list).toHaveLength(1 + 1_000 + 1)
  expect(list[0]).toMatchObject({ address: safaricom, isKnown: true })
  expect(list.find(({ address }) => address === '2001:db8::ffff:0')).toMatchObject({ callbacks: 51 })
  expect(list.at(-1)).toMatchObject({ address: 'other', isKnown: false, listing: null, firstSeenAt: new Date(began) })
  expect(list.reduce((sum, { callbacks }) => sum + callbacks, 0)).toBe(known.length)
})

test.each<SourceAllowListMode>(['observe', 'enforce'])(
  'to %s, an address that is unknown is logged once an hour',
  mode => {
    const { lines, judge, pass } = openBook(mode)
    judge(safaricom)
    expect(lines).toEqual([])
    const told = (): number => lines.filter(line => line.includes('"203.0.113.9"')).length
    for (let minute = 0; minute < 60; minute++) {
      judge('203.0.113.9')
      pass(60_000)
    }
    expect(told()).toBe(1)
    judge('203.0.113.9')
    expect(told()).toBe(2)
  },
)

test('a flood of addresses is a hundred lines an hour, and one that says so', () => {
  const { lines, judge, pass } = openBook('enforce')
  const flood = (): void => {
    for (let number = 0; number < 5_000; number++) judge(`2001:db8::${number.toString(16)}`)
  }
  flood()
  flood()
  expect(lines).toHaveLength(101)
  expect(lines.at(-1)).toMatch(/more unknown addresses than are logged/)
  pass(hourMs)
  flood()
  expect(lines).toHaveLength(202)
})
