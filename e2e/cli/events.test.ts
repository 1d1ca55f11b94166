import { expect, test, vi } from 'vitest'
import { failedBody, paidBody } from '../callback-bodies.ts'
import { openSink } from '../relay/relay-floor.ts'
import { findFreePort } from '../relay/relay-process.ts'
import { openFloor } from './cli-floor.ts'

// Every command is a process, which two cores that are busy with much else start in seconds.
vi.setConfig({ testTimeout: 300_000 })

type Page = {
  readonly events: readonly { readonly eventId: string; readonly status: string }[]
  readonly next: string | null
}
type Floor = Awaited<ReturnType<typeof openFloor>>

const list = (floor: Floor, appId: string, ...more: string[]): Promise<Page> =>
  floor.ask<Page>(['events', 'list', appId, ...more])

/** Waits until so many of the app's events have this status. */
async function until(floor: Floor, appId: string, status: string, count: number): Promise<Page['events']> {
  const headers = { authorization: 'Bearer an-admin-token-that-is-long-enough' }
  const find = async (): Promise<Page['events']> => {
    const response = await fetch(`${floor.url()}/v1/apps/${appId}/events?status=${status}&limit=500`, { headers })
    return ((await response.json()) as Page).events
  }
  await expect.poll(async () => (await find()).length, { timeout: 30_000 }).toBe(count)
  return find()
}

test('events are listed by what is asked for, page after page, and shown with their attempts and body', async () => {
  await using sink = await openSink()
  await using floor = await openFloor()
  const app = await floor.createApp(sink.url)
  for (const id of ['ws_CO_1', 'ws_CO_2', 'ws_CO_3'])
    await floor.post(app.hookUrl, JSON.stringify(paidBody(id, 'UHH0AB12CD')))
  await until(floor, app.appId, 'DELIVERED', 3)
  const page = await list(floor, app.appId, '--limit', '2', '--status', 'DELIVERED', '--kind', 'stk', '--from', '1h')
  expect(page.events).toHaveLength(2)
  const rest = await list(floor, app.appId, '--before', page.next ?? '')
  expect(rest.events).toHaveLength(1)
  expect((await list(floor, app.appId, '--to', '1h')).events).toEqual([])
  const text = await floor.run(['events', 'list', app.appId, '--limit', '2'])
  expect(text.stdout.split('\n')).toHaveLength(3)
  expect(text.stdout).toMatch(/^[0-9a-f-]{36} {2}\d\d-\d\d \d\d:\d\d:\d\d {2}stk +DELIVERED +1$/m)
  expect(text.stderr).toContain(`--before ${page.next}`)
  const eventId = rest.events[0]?.eventId ?? ''
  const shown = await floor.run(['events', 'show', eventId])
  expect(shown.stdout).toMatch(/^1 +\d\d-\d\d \d\d:\d\d:\d\d +\d+ ms +200 +delivered +thanks$/m)
  expect(shown.stdout).toContain('"CheckoutRequestID": "ws_CO_1"')
})

test('what cannot be understood is said before anybody is asked', async () => {
  await using floor = await openFloor()
  const wrong = [
    ['events', 'list', 'app', '--from', 'yesterday'],
    ['events', 'list', 'app', '--status', 'LOST'],
    ['replay'],
    ['replay', 'event', '--app', 'app'],
    ['replay', 'event', '--dry-run'],
    ['replay', '--app', 'app', '--cancel', 'replay', '--dry-run'],
    ['listen', 'app', '--forward-to', 'localhost'],
    ['nothing'],
  ]
  const ended = await Promise.all(wrong.map(args => floor.run(args)))
  expect(ended.map(({ code, stdout }) => [code, stdout])).toEqual(wrong.map(() => [2, '']))
  for (const { stderr } of ended) expect(stderr).not.toBe('')
})

test('an event is replayed and its outcome told; many are counted, replayed and told how far they have come', async () => {
  await using sink = await openSink()
  await using floor = await openFloor()
  const app = await floor.createApp(sink.url)
  for (let index = 0; index < 5; index++)
    await floor.post(app.hookUrl, JSON.stringify(failedBody(`ws_CO_${index}`, 1032)))
  const [first] = await until(floor, app.appId, 'DELIVERED', 5)
  const one = await floor.run(['replay', first?.eventId ?? ''])
  expect([one.code, one.stdout]).toEqual([0, 'delivered'])
  expect(sink.delivered).toHaveLength(6)
  const counted = await floor.ask(['replay', '--app', app.appId, '--status', 'DELIVERED', '--dry-run'])
  expect(counted).toEqual({ matched: 5 })
  const many = await floor.run(['replay', '--app', app.appId, '--status', 'DELIVERED', '--per-second', '100'])
  expect([many.code, many.stdout.split('\n')[0]]).toEqual([
    0,
    expect.stringMatching(/^5 of 5 events are due again. Which of them fail/),
  ])
  expect(many.stderr).toContain('5 of 5 events are due again')
  await sink.have(11)
  const none = await floor.run(['replay', '--app', app.appId])
  expect([none.code, none.stdout]).toEqual([0, 'there is nothing to deliver again'])
})

test('a replay is looked at over a restart of the relay, goes on after Ctrl-C, which says how to stop it, and is cancelled', async () => {
  await using sink = await openSink()
  await using floor = await openFloor(await findFreePort())
  const app = await floor.createApp(sink.url)
  for (let index = 0; index < 30; index++)
    await floor.post(app.hookUrl, JSON.stringify(failedBody(`ws_CO_${index}`, 1032)))
  await until(floor, app.appId, 'DELIVERED', 30)
  const cli = floor.start(['replay', '--app', app.appId, '--status', 'DELIVERED', '--per-second', '1'])
  await cli.says('of 30 events are due again')
  await floor.killRelay()
  await floor.startRelay()
  const told = cli.stderr.length
  await expect.poll(() => cli.stderr.length).toBeGreaterThan(told)
  const { code, stderr } = await cli.end('SIGINT')
  const [, command = ''] = /^the replay goes on; to stop it: mpesa-stk (.+)$/m.exec(stderr) ?? []
  expect(code).toBe(0)
  const before = sink.delivered.length
  await expect.poll(() => sink.delivered.length).toBeGreaterThan(before)
  const cancelled = await floor.run([...command.split(' ')])
  expect(cancelled.stdout).toMatch(/^state +CANCELLED$/m)
  const begun = await floor.ask([
    'replay',
    '--app',
    app.appId,
    '--status',
    'DELIVERED',
    '--per-second',
    '1',
    '--no-wait',
  ])
  expect(begun).toMatchObject({ state: 'RUNNING' })
})
