import { expect, test, vi } from 'vitest'
import { paidBody } from '../callback-bodies.ts'
import { openSink } from '../relay/relay-floor.ts'
import { openFloor } from './cli-floor.ts'

// Every command is a process, which two cores that are busy with much else start in seconds.
vi.setConfig({ testTimeout: 300_000 })

type Page = { readonly bodies: readonly { readonly id: string; readonly reason: string }[] }

test('what is nobody’s event is listed on a line each, shown, and released where it is one after all', async () => {
  await using sink = await openSink()
  await using floor = await openFloor()
  const app = await floor.createApp(sink.url)
  await floor.post('/hooks/nobody', JSON.stringify(paidBody('ws_CO_1', 'UHH0AB12CD')))
  await floor.post(app.hookUrl, 'a\u001b[31m\nsecond line')
  const { bodies } = await floor.ask<Page>(['quarantine', 'list'])
  expect(bodies.map(({ reason }) => reason)).toEqual(['unrecognised', 'unknown-app'])
  const [odd, lost] = bodies.map(({ id }) => id)
  const listed = await floor.run(['quarantine', 'list'])
  expect(listed.stdout.split('\n')).toHaveLength(3)
  expect(listed.stdout).not.toContain('\u001b')
  const shown = await floor.run(['quarantine', 'show', odd ?? ''])
  expect(shown.stdout.endsWith('\n\na·[31m\nsecond line')).toBe(true)
  const stays = await floor.run(['quarantine', 'release', odd ?? ''])
  expect([stays.code, stays.stderr.split(':')[0]]).toEqual([1, 'MPESA_STK_RELAY_NOT_RELEASED'])
  expect((await floor.run(['quarantine', 'release', lost ?? ''])).code).toBe(3)
  const released = await floor.run(['quarantine', 'release', lost ?? '', '--app', app.appId])
  expect([released.code, released.stdout]).toEqual([
    0,
    `released as event ${lost} of app ${app.appId}; it is delivered now`,
  ])
  await sink.have(1)
  expect((await floor.ask<Page>(['quarantine', 'list'])).bodies.map(({ id }) => id)).toEqual([odd])
  const merchant = { RELAY_ADMIN_TOKEN: '', RELAY_SIGNING_SECRET: app.signingSecret }
  expect((await floor.run(['quarantine', 'list'], merchant)).code).toBe(4)
})
