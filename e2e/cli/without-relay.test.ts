import { describe, expect, test, vi } from 'vitest'
import { findServices } from '../../scripts/services/find.ts'
import { failedBody } from '../callback-bodies.ts'
import { openSink } from '../relay/relay-floor.ts'
import { findFreePort } from '../relay/relay-process.ts'
import { openRelaySchema } from '../relay/relay-schema.ts'
import { openFloor } from './cli-floor.ts'
import { openFolder, runCli } from './cli-process.ts'

// Every command is a process, which two cores that are busy with much else start in seconds.
vi.setConfig({ testTimeout: 300_000 })

const { postgres } = await findServices()

test('where no relay runs and there is no data of one, or nothing answers at the address, the exit code is 5', async () => {
  using folder = openFolder()
  const PORT = String(await findFreePort())
  const ended = await Promise.all([
    runCli(['apps', 'list'], folder.path, { PORT }),
    runCli(['apps', 'list'], folder.path, { RELAY_URL: `http://127.0.0.1:${PORT}` }),
    runCli(['events', 'tail', 'app'], folder.path, { RELAY_URL: `http://127.0.0.1:${PORT}` }),
    runCli(['apps', 'list'], folder.path, { PORT, DATABASE_URL: `postgres://nobody:hunter2@127.0.0.1:${PORT}/none` }),
    runCli(['migrate'], folder.path, { DATABASE_URL: `postgres://nobody:hunter2@127.0.0.1:${PORT}/none` }),
  ])
  expect(ended.map(({ code }) => code)).toEqual([5, 5, 5, 5, 5])
  for (const { stderr, stdout } of ended) {
    expect(stderr).toMatch(/^MPESA_STK_RELAY_UNREACHABLE: [^\n]+$/)
    expect(stderr + stdout).not.toContain('hunter2')
  }
})

test('an error is JSON too', async () => {
  await using floor = await openFloor()
  const { code, stderr } = await floor.run(['events', 'show', 'nothing', '--json'])
  expect(code).toBe(3)
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'MPESA_STK_RELAY_NOT_FOUND' } })
})

test('where no relay runs its store is opened: what is begun is delivered when one is started, and nothing waits for it', async () => {
  await using sink = await openSink()
  await using floor = await openFloor()
  const app = await floor.createApp(sink.url)
  await floor.post(app.hookUrl, JSON.stringify(failedBody('ws_CO_1', 1032)))
  await floor.post('/hooks/nobody', JSON.stringify(failedBody('ws_CO_2', 1032)))
  await sink.have(1)
  // A stop stores what is under way.
  await floor.stopRelay()
  const here = { RELAY_DATA_DIR: floor.dataFolder, PORT: String(await findFreePort()) }
  const run = (...args: string[]) => runCli(args, floor.folder, here)
  const listed = await run('events', 'list', app.appId, '--json')
  const { events } = JSON.parse(listed.stdout) as { events: readonly { eventId: string }[] }
  const one = await run('replay', events[0]?.eventId ?? '')
  expect([one.code, one.stdout]).toEqual([0, expect.stringMatching(/^due again; no relay runs here/)])
  const many = await run('replay', '--app', app.appId, '--status', 'DELIVERED')
  expect([many.code, many.stdout]).toEqual([0, expect.stringMatching(/: begun as replay .* no relay runs here/)])
  const { bodies } = JSON.parse((await run('quarantine', 'list', '--json')).stdout) as {
    bodies: readonly { id: string }[]
  }
  const released = await run('quarantine', 'release', bodies[0]?.id ?? '', '--app', app.appId)
  expect(released.stdout).toMatch(/it is delivered when a relay runs$/)
  const tail = await run('events', 'tail', app.appId)
  expect([tail.code, tail.stderr]).toEqual([5, expect.stringContaining('only one that runs can be followed')])
  expect(sink.delivered).toHaveLength(1)
  await floor.startRelay()
  await sink.have(3)
})

describe('migrate', () => {
  test('makes the tables of a new store, says so, and has nothing to do the next time', async () => {
    using folder = openFolder()
    const environment = { RELAY_DATA_DIR: `${folder.path}/data` }
    const first = await runCli(['migrate'], folder.path, environment)
    expect([first.code, first.stdout]).toEqual([0, `relay: schema none → 1 in ${folder.path}/data/relay.db`])
    const again = await runCli(['migrate', '--library', '--store-file', 'pay.db', '--json'], folder.path, environment)
    expect(JSON.parse(again.stdout)).toEqual([
      { tables: 'relay', where: `${folder.path}/data/relay.db`, from: 1, to: 1 },
      { tables: 'library', where: 'pay.db', from: 0, to: expect.any(Number) },
    ])
    const named = await runCli(['migrate', '--library'], folder.path, { ...environment, MPESA_STORE_FILE: 'pay.db' })
    expect(named.stdout).toMatch(/^library: schema \d+ in pay.db, nothing to do$/m)
    const nameless = await runCli(['migrate', '--library'], folder.path, { RELAY_DATA_DIR: `${folder.path}/none` })
    expect([nameless.code, nameless.stdout]).toEqual([2, ''])
  })

  test('leaves the file of a relay that runs alone', async () => {
    await using floor = await openFloor()
    const refused = await runCli(['migrate'], floor.folder, { RELAY_DATA_DIR: floor.dataFolder })
    expect([refused.code, refused.stdout]).toEqual([1, ''])
    expect(refused.stderr).toMatch(/^MPESA_STK_SQLITE_IN_USE: another process has .*relay\.db open/)
  })

  // Left out only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
  test.skipIf(postgres === undefined)('makes the tables of both in PostgreSQL', async () => {
    using folder = openFolder()
    await using schema = await openRelaySchema(postgres?.url ?? '')
    const environment = { DATABASE_URL: schema.url() }
    const first = await runCli(['migrate', '--library'], folder.path, environment)
    expect(first.stdout).toMatch(/^relay: schema none → 1 in DATABASE_URL\nlibrary: schema none → \d+ in DATABASE_URL$/)
    const again = await runCli(['migrate', '--library'], folder.path, environment)
    expect(again.stdout).toMatch(/^relay: schema 1 in DATABASE_URL, nothing to do\nlibrary: .* nothing to do$/)
  })
})
