import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AuditEntry, RecordedAuditEntry } from './audit-entry.ts'
import { emptyTrail, headOf, linkEntry } from './trail-chain.ts'
import { judgeTrail } from './verify-trail.ts'

const paymentId = 'p'
const entry = (id: string): AuditEntry => ({
  id,
  paymentId,
  at: new Date('2026-04-03T10:00:00.123Z'),
  event: 'payment.settled',
  cause: 'callback',
  before: 'PENDING',
  after: 'SUCCESS',
  evidence: { resultCode: '0' },
})

function trail(length: number) {
  const entries: RecordedAuditEntry[] = []
  let head = emptyTrail
  for (let index = 0; index < length; index++) {
    const linked = linkEntry(head, entry(`e${index}`))
    entries.push(linked)
    head = headOf(linked)
  }
  return { paymentId, head, entries }
}

type Trail = ReturnType<typeof trail>
type Tampering = readonly [name: string, tamper: (trail: Trail, at: number) => readonly RecordedAuditEntry[]]

const change =
  (changes: Partial<RecordedAuditEntry>): Tampering[1] =>
  ({ entries }, at) =>
    entries.map((each, index) => (index === at ? { ...each, ...changes } : each))

const tamperings: readonly Tampering[] = [
  ['another time', change({ at: new Date(0) })],
  ['another state', change({ after: 'FAILED' })],
  ['other evidence', change({ evidence: { resultCode: '1' } })],
  ['another cause', change({ cause: 'operator' })],
  ['another id', change({ id: 'forged' })],
  ['another hash', change({ hash: 'f'.repeat(64) })],
  ['a dropped entry', ({ entries }, at) => entries.filter((_each, index) => index !== at)],
  ['an entry twice', ({ entries }, at) => entries.flatMap((each, index) => (index === at ? [each, each] : [each]))],
  [
    'two entries in the other order',
    ({ entries }, at) => entries.toSpliced(at, 2, ...entries.slice(at, at + 2).reverse()),
  ],
]

test('a trail as it was written is intact, and so is none', () => {
  expect(judgeTrail(trail(5))).toBeNull()
  expect(judgeTrail(trail(0))).toBeNull()
})

test.each(tamperings)('%s is found, wherever it is', (_name, tamper) => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 8 }), fc.nat(), (length, place) => {
      const whole = trail(length)
      const at = place % (length - 1)
      expect(judgeTrail({ ...whole, entries: tamper(whole, at) })).not.toBeNull()
    }),
  )
})

test('a cut tail is found by the head', () => {
  const whole = trail(4)
  expect(judgeTrail({ ...whole, entries: whole.entries.slice(0, 2) })).toEqual({
    problem: 'cut',
    paymentId,
    sequence: 3,
  })
})
