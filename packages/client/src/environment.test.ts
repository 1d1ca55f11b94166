import { expect, test } from 'vitest'
import { createClock, pageEnvironment } from './environment.ts'

test.each([0, -600_000, 600_000])('a clock that is wrong by %d ms all the time changes nothing', offMs => {
  let steadyMs = 5_000
  const nowMs = createClock(
    () => 1e12 + offMs + steadyMs,
    () => steadyMs,
  )
  steadyMs += 1_234
  expect(nowMs()).toBe(1_234)
  steadyMs += 1
  expect(nowMs()).toBe(1_235)
})

test('time that was slept through counts, although the steady clock stood still', () => {
  let wallMs = 1e12
  const nowMs = createClock(
    () => wallMs,
    () => 0,
  )
  wallMs += 3_600_000
  expect(nowMs()).toBe(3_600_000)
})

test('a clock that is set back does not stop time, and the roundings of two clocks do not add up', () => {
  let wallMs = 1e12
  let steadyMs = 0
  const nowMs = createClock(
    () => Math.floor(wallMs),
    () => steadyMs,
  )
  wallMs -= 600_000
  steadyMs += 50
  expect(nowMs()).toBe(50)
  for (let count = 0; count < 10_000; count++) {
    wallMs += 0.1
    steadyMs += 0.1
    nowMs()
  }
  expect(nowMs()).toBeCloseTo(1_050, 5)
})

test('a page tells when it is seen, shown again, online and offline, until it is left', () => {
  const page = new EventTarget()
  const document = Object.assign(new EventTarget(), { visibilityState: 'hidden' })
  const names = ['addEventListener', 'removeEventListener'] as const
  Object.assign(globalThis, { document, ...Object.fromEntries(names.map(name => [name, page[name].bind(page)])) })
  try {
    const heard: string[] = []
    const stop = pageEnvironment.onSignal(signal => heard.push(signal))
    document.dispatchEvent(new Event('visibilitychange'))
    document.visibilityState = 'visible'
    document.dispatchEvent(new Event('visibilitychange'))
    for (const type of ['pageshow', 'offline', 'online']) page.dispatchEvent(new Event(type))
    expect(heard).toEqual(['wake', 'wake', 'offline', 'online'])
    stop()
    for (const type of ['pageshow', 'offline', 'online']) page.dispatchEvent(new Event(type))
    expect(heard).toHaveLength(4)
  } finally {
    for (const name of ['document', ...names]) Reflect.deleteProperty(globalThis, name)
  }
})
