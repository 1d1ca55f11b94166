import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { alertKey, createAlert, describeAlert, runbookOf, toAlertEvent } from './alert-event.ts'
import { type AlertType, alerts, alertTypes } from './alerts.ts'

const at = new Date('2026-11-24T02:10:00.000Z')
const app = { appId: 'the-operators-app', isDisabled: false }
const placeholders = (text: string): readonly string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)

/** Each detail is its own name, in capitals. */
function sample(type: AlertType, when = at) {
  const names: readonly string[] = alerts[type].details
  return createAlert(type, 'SUBJECT', Object.fromEntries(names.map(name => [name, name.toUpperCase()])), when)
}

describe('every alert', () => {
  test.each(alertTypes)('%s has texts that are filled by its details, and a time in which it is told once', type => {
    const { what, todo, details, everyMs } = alerts[type]
    const names = ['subject', ...details]
    expect(placeholders(what + todo).filter(name => !names.includes(name))).toEqual([])
    // Whatever is told is told in the text: nobody reads fields at 2 a.m.
    expect(names.filter(name => !placeholders(what).includes(name) && name !== 'subject')).toEqual([])
    const told = describeAlert(sample(type))
    for (const name of details) expect(told.what).toContain(name.toUpperCase())
    expect(told.what + told.todo).not.toMatch(/[{]\w+[}]/)
    expect(everyMs).toBeGreaterThanOrEqual(60_000)
  })

  test.each(alertTypes)('%s is an event with all that an operator needs, and contradicts none before it', type => {
    const alert = sample(type)
    const event = toAlertEvent(alert, app)
    expect(event).toMatchObject({ kind: 'operations', result: 'raised', contradicts: null, isHeld: false })
    expect(JSON.parse(new TextDecoder().decode(event.body))).toEqual({
      type,
      id: event.id,
      at: at.toISOString(),
      severity: alerts[type].severity,
      subject: 'SUBJECT',
      details: alert.details,
      ...describeAlert(alert),
      runbook: runbookOf(type),
    })
    const next = toAlertEvent(sample(type, new Date(at.getTime() + alerts[type].everyMs)), app)
    expect([next.businessKey === event.businessKey, next.id === event.id]).toEqual([false, false])
  })
})

test('the runbook has a part for each alert and for no other, where its link leads', () => {
  const runbook = readFileSync(new URL('../../../../../docs/runbook.md', import.meta.url), 'utf8')
  const titles = [...runbook.matchAll(/^### (\S+)$/gm)].map(([, title = '']) => title)
  expect(titles.toSorted()).toEqual(alertTypes.toSorted())
  expect(titles.map(title => runbookOf(title as AlertType))).toContain('docs/runbook.md#endpointdisabled')
})

test('an alert of a day is told again at Nairobi’s midnight', () => {
  const of = (time: string) => alertKey(createAlert('quota.exceeded', 'a', { quota: 1 }, new Date(time)))
  expect(of('2026-11-24T00:00:00Z')).toBe(of('2026-11-24T20:59:59Z'))
  expect(of('2026-11-24T21:00:00Z')).not.toBe(of('2026-11-24T20:59:59Z'))
})

test('an alert is the same for every relay in its time, and another for another subject, endpoint or time', () => {
  const bucketMs = alerts['delivery.dead'].everyMs
  const begin = new Date(Math.floor(at.getTime() / bucketMs) * bucketMs)
  const of = (when: Date, subject = 'a', appId = app.appId) => {
    const alert = createAlert('delivery.dead', subject, {}, when)
    return [alertKey(alert), toAlertEvent(alert, { ...app, appId }).id]
  }
  const last = new Date(begin.getTime() + bucketMs - 1)
  expect(of(last)).toEqual(of(begin))
  const [key, id] = of(begin)
  for (const other of [of(new Date(begin.getTime() - 1)), of(new Date(begin.getTime() + bucketMs)), of(begin, 'b')]) {
    expect([other[0] === key, other[1] === id]).toEqual([false, false])
  }
  expect(of(begin, 'a', 'another')[1]).not.toBe(id)
})

test('an alert for an endpoint that is disabled waits for it', () => {
  expect(toAlertEvent(sample('contradiction'), { ...app, isDisabled: true }).isHeld).toBe(true)
})
