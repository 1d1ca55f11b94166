import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFlow, type Flow, type FlowEvent, isStale, stepFlow } from './stream-state.ts'

const events: fc.Arbitrary<FlowEvent> = fc.oneof(
  fc.constantFrom('asked', 'event', 'live', 'lost').map(type => ({ type }) as FlowEvent),
  fc.constantFrom('gap', 'ended').map(type => ({ type, reason: 'why' }) as FlowEvent),
)
const play = (list: readonly FlowEvent[], flow: Flow = createFlow(0)): Flow =>
  list.reduce((before, event) => stepFlow(before, event, 1_000), flow)

test('stale is: for five seconds not live', () => {
  const flow = createFlow(10_000)
  expect([14_999, 15_000].map(nowMs => isStale(flow, nowMs))).toEqual([false, true])
  const live = stepFlow(flow, { type: 'live' }, 11_000)
  expect(isStale(live, 1e9)).toBe(false)
  const lost = stepFlow(live, { type: 'lost' }, 20_000)
  const asked = stepFlow(lost, { type: 'asked' }, 24_000)
  expect([24_999, 25_000].map(nowMs => isStale(asked, nowMs))).toEqual([false, true])
})

test('ended is the end, and never stale', () => {
  fc.assert(
    fc.property(fc.array(events), fc.array(events), (before, after) => {
      const ended = stepFlow(play(before), { type: 'ended', reason: 'over' }, 0)
      expect(play(after, ended)).toBe(ended)
      expect(isStale(ended, 1e9)).toBe(false)
    }),
  )
})

test('live is only what was said to be live, or goes on after a gap that came while it was', () => {
  fc.assert(
    fc.property(fc.array(events), list => {
      const flow = play(list)
      if (flow.state === 'live') expect(list.map(({ type }) => type)).toContain('live')
      if (flow.state === 'live') expect(flow.behindSinceMs).toBe(null)
      if (flow.state === 'replaying') expect(flow.behindSinceMs).not.toBe(null)
    }),
  )
  const gap = play([{ type: 'live' }, { type: 'gap', reason: 'cleared' }])
  expect(gap).toMatchObject({ state: 'gap', reason: 'cleared' })
  expect(play([{ type: 'event' }], gap)).toMatchObject({ state: 'live', reason: null })
  expect(play([{ type: 'gap', reason: 'aged' }, { type: 'event' }]).state).toBe('gap')
})
