import { expect, test, vi } from 'vitest'
import { failedBody, paidBody } from '../callback-bodies.ts'
import { findFreePort } from '../relay/relay-process.ts'
import { openFloor } from './cli-floor.ts'

// Every command is a process, which two cores that are busy with much else start in seconds.
vi.setConfig({ testTimeout: 300_000 })

type Floor = Awaited<ReturnType<typeof openFloor>>

const post = (floor: Floor, hookUrl: string, id: string, code = 1032): Promise<void> =>
  floor.post(hookUrl, JSON.stringify(code === 0 ? paidBody(id, 'UHH0AB12CD') : failedBody(id, code)))

test('events are told in their order as they come, over a restart of the relay, until Ctrl-C', async () => {
  await using floor = await openFloor(await findFreePort())
  const app = await floor.createApp('http://127.0.0.1:9/')
  await post(floor, app.hookUrl, 'ws_CO_1')
  const cli = floor.start(['events', 'tail', app.appId, '--since-start', '--json'])
  await cli.says('ws_CO_1')
  await post(floor, app.hookUrl, 'ws_CO_2')
  await cli.says('ws_CO_2')
  await floor.killRelay()
  await cli.says('asking again until it answers')
  await floor.startRelay()
  await post(floor, app.hookUrl, 'ws_CO_3')
  await cli.says('ws_CO_3')
  await cli.says('the relay answers again')
  const { code, stdout } = await cli.end('SIGINT')
  expect(code).toBe(0)
  const told = stdout.split('\n').map(line => (JSON.parse(line) as { businessKey: string }).businessKey)
  expect(told).toEqual(['ws_CO_1', 'ws_CO_2', 'ws_CO_3'])
})

test('a person reads a line an event, of what comes from now on, and a second word about the same under it', async () => {
  await using floor = await openFloor()
  const app = await floor.createApp('http://127.0.0.1:9/')
  await post(floor, app.hookUrl, 'ws_CO_before')
  const cli = floor.start(['events', 'tail', app.appId])
  let posted = 0
  await expect
    .poll(
      async () => {
        await post(floor, app.hookUrl, `ws_CO_${posted++}`)
        return cli.stdout.length
      },
      { timeout: 30_000 },
    )
    .toBeGreaterThan(0)
  await post(floor, app.hookUrl, 'ws_CO_before', 0)
  await cli.says('says something else than')
  const { stdout } = await cli.end('SIGINT')
  const lines = stdout.split('\n')
  expect(lines.length).toBeLessThanOrEqual(posted + 2)
  expect(lines[0]).toMatch(/^\d\d-\d\d \d\d:\d\d:\d\d {2}stk {5}[0-9a-f-]{36} {2}[A-Z]+$/)
})

test('an app that there is not, or that is somebody else’s, ends it with what is wrong', async () => {
  await using floor = await openFloor()
  expect((await floor.run(['events', 'tail', 'nobody'])).code).toBe(3)
  expect((await floor.run(['events', 'tail', 'nobody'], { RELAY_ADMIN_TOKEN: 'wrong' })).code).toBe(4)
})
