import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backoffMs } from './backoff.ts'
import { connectionState, createLine, isLinked, type Line, type LineEvent, lineDueMs, stepLine } from './connection.ts'

const events: fc.Arbitrary<LineEvent> = fc.oneof(
  fc
    .constantFrom('wanted', 'unwanted', 'token', 'hello', 'heard', 'wake', 'online', 'offline', 'climb')
    .map(type => ({ type }) as LineEvent),
  fc.record({ type: fc.constant('tick' as const), random: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ type: fc.constant('ready' as const), heartbeatMs: fc.constant(25_000) }),
  fc.record(
    {
      type: fc.constant('lost' as const),
      random: fc.double({ min: 0, max: 1, noNaN: true }),
      retry: fc.constantFrom('now' as const, 'later' as const, 'token' as const, 'never' as const),
      retryAfterMs: fc.nat(60_000),
    },
    { requiredKeys: ['type', 'random'] },
  ),
  fc.constant({ type: 'close', reason: 'closed' } as const),
)
const history = fc.array(fc.tuple(events, fc.nat(40_000)), { maxLength: 60 })

function play(steps: readonly (readonly [LineEvent, number])[], check?: (line: Line, nowMs: number) => void): Line {
  let line = createLine(3)
  let nowMs = 0
  for (const [event, elapsedMs] of steps) {
    nowMs += elapsedMs
    line = stepLine(line, event, nowMs)
    check?.(line, nowMs)
  }
  return line
}

test('whatever happens, it either rests, is closed, fetches a token, or has something to do in time', () => {
  fc.assert(
    fc.property(history, steps => {
      play(steps, (line, nowMs) => {
        const rests = ['idle', 'closed', 'token'].includes(line.phase)
        if (rests) expect(line.dueMs).toBe(Infinity)
        else expect(line.dueMs - nowMs).toBeLessThanOrEqual(80_000)
        expect(line.rung).toBeLessThan(3)
        if (line.isProbing) expect(line.phase).toBe('connected')
      })
    }),
  )
})

test('closed is the end, and its reason stays', () => {
  fc.assert(
    fc.property(history, history, (before, after) => {
      const closed = stepLine(play(before), { type: 'close', reason: 'closed' }, 0)
      let line = closed
      for (const [event] of after) line = stepLine(line, event, 1e9)
      expect(line).toEqual(closed)
    }),
  )
})

test('left alone, it connects again after whatever happened to it', () => {
  fc.assert(
    fc.property(history, steps => {
      let line = play(steps)
      if (line.phase === 'closed') return
      let nowMs = 1e7
      line = stepLine(line, { type: 'wanted' }, nowMs)
      for (let turn = 0; turn < 20 && !(line.phase === 'connected' && !line.isProbing); turn++) {
        if (line.phase === 'token') line = stepLine(line, { type: 'token' }, nowMs)
        else if (line.phase === 'opening') line = stepLine(line, { type: 'hello' }, nowMs)
        else if (line.phase === 'authenticating') line = stepLine(line, { type: 'ready', heartbeatMs: 1 }, nowMs)
        else {
          nowMs = Math.max(nowMs, line.dueMs)
          line = stepLine(line, { type: 'tick', random: 1 }, nowMs)
        }
      }
      expect(connectionState(line)).toBe('connected')
    }),
  )
})

test('the wait is full jitter: anything from nothing to a limit that doubles from 0.5 s to 20 s', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 1_000].map(failures => backoffMs(failures, 1))).toEqual([
    500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000,
  ])
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
      const waitMs = backoffMs(failures, random)
      expect(waitMs).toBeGreaterThanOrEqual(0)
      expect(waitMs).toBeLessThanOrEqual(20_000)
    }),
  )
})

const connectedAt = (nowMs: number, from = createLine(3)): Line => {
  let line = stepLine(from, { type: 'wanted' }, nowMs)
  line = stepLine(line, { type: 'tick', random: 0 }, nowMs)
  line = stepLine(line, { type: 'token' }, nowMs)
  line = stepLine(line, { type: 'hello' }, nowMs)
  return stepLine(line, { type: 'ready', heartbeatMs: 25_000 }, nowMs)
}

test('a wait begins small again only after a connection that lasted ten seconds', () => {
  const lose = { type: 'lost', random: 1 } as const
  const first = stepLine(connectedAt(0), lose, 9_999)
  expect(first.dueMs).toBe(9_999 + 500)
  const second = stepLine(connectedAt(20_000, first), lose, 29_999)
  expect(second.dueMs).toBe(29_999 + 1_000)
  const third = stepLine(connectedAt(40_000, second), lose, 50_000)
  expect(third.dueMs).toBe(50_000 + 500)
})

test('what the relay asks for is kept to, whoever looks at the page', () => {
  const lost = stepLine(connectedAt(0), { type: 'lost', random: 0, retry: 'later', retryAfterMs: 60_000 }, 1_000)
  expect(lost.dueMs).toBe(61_000)
  for (const type of ['wake', 'online', 'wanted'] as const) {
    expect(stepLine(lost, { type }, 30_000)).toMatchObject({ phase: 'waiting', dueMs: 61_000 })
  }
  const left = stepLine(lost, { type: 'unwanted' }, 30_000)
  expect(stepLine(left, { type: 'wanted' }, 31_000)).toMatchObject({ phase: 'waiting', dueMs: 61_000 })
  expect(stepLine(lost, { type: 'wake' }, 61_000).phase).toBe('token')
})

test('a failure of which the cause is known says nothing about the transport', () => {
  let line = createLine(3)
  for (let attempt = 0; attempt < 5; attempt++) {
    line = stepLine(line, { type: 'wanted' }, attempt)
    line = stepLine({ ...line, phase: 'token' }, { type: 'token' }, attempt)
    line = stepLine(line, { type: 'lost', random: 0, retry: 'now' }, attempt)
  }
  expect(line).toMatchObject({ rung: 0, blocked: 0 })
  for (const rung of [0, 1, 1, 2, 2, 0]) {
    line = stepLine({ ...line, phase: 'opening' }, { type: 'lost', random: 0 }, 10)
    expect(line.rung).toBe(rung)
  }
  line = stepLine({ ...line, phase: 'opening', isOffline: true }, { type: 'lost', random: 0 }, 11)
  line = stepLine({ ...line, phase: 'opening', isOffline: true }, { type: 'lost', random: 0 }, 12)
  expect(line, 'without a network every transport fails').toMatchObject({ rung: 0, isOffline: true })
})

test('a better transport is looked for half a minute later, then ever more seldom', () => {
  let line = connectedAt(0, { ...createLine(3), rung: 1 })
  const looks: number[] = []
  for (let nowMs = 0; nowMs < 3_600_000; nowMs += 1_000) {
    const next = stepLine(stepLine(line, { type: 'heard' }, nowMs), { type: 'tick', random: 0 }, nowMs)
    if (next.climbs > line.climbs) looks.push(nowMs / 1_000)
    line = next
  }
  expect(looks.slice(0, 6)).toEqual([30, 90, 210, 450, 930, 1_530])
  const climbing = stepLine(line, { type: 'climb' }, 3_600_000)
  expect(climbing).toMatchObject({ phase: 'token', rung: 0, climbMs: Infinity })
  expect(isLinked(climbing)).toBe(false)
  expect(lineDueMs(connectedAt(0))).toBe(30_000)
})
