import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { listen, openRelay } from '../relay/relay-floor.ts'
import { openFloor } from './cli-floor.ts'
import { runMpesaStkHere } from './run-mpesa-stk.ts'

// Every command is a process, which two cores that are busy with much else start in seconds.
vi.setConfig({ testTimeout: 300_000 })

type App = Readonly<Record<string, unknown>> & { readonly appId: string; readonly signingSecret: string }

test('an app is made, listed, shown, changed, given another secret and deleted', async () => {
  await using floor = await openFloor()
  const app = await floor.ask<App>([
    'apps',
    'create',
    '--target',
    'http://127.0.0.1:9/a',
    '--schedule',
    '10,20',
    '--c2b-fallback',
    'reject',
  ])
  expect(app).toMatchObject({ targetUrl: 'http://127.0.0.1:9/a', scheduleMs: [10, 20], c2bFallback: 'reject' })
  expect(app.signingSecret).toMatch(/^[0-9a-f]{64}$/)
  const listed = await floor.run(['apps', 'list'])
  expect(listed.stdout).toMatch(new RegExp(`^app .*delivers to\n${app.appId}.* on +http://127.0.0.1:9/a$`))
  const shown = await floor.run(['apps', 'show', app.appId])
  expect(shown.stdout).toMatch(/^targetUrl +http:\/\/127\.0\.0\.1:9\/a$/m)
  expect(shown.stdout).not.toContain(app.signingSecret)
  const update = ['apps', 'update', app.appId, '--target', 'http://127.0.0.1:9/b', '--schedule', 'default']
  expect(await floor.ask<App>(update)).toMatchObject({ targetUrl: 'http://127.0.0.1:9/b', scheduleMs: null })
  expect(await floor.ask<App>(['apps', 'disable', app.appId])).toMatchObject({ isDisabled: true })
  expect(await floor.ask<App>(['apps', 'enable', app.appId])).toMatchObject({ isDisabled: false })
  const rotated = await floor.ask<App>(['apps', 'rotate-secret', app.appId, '--overlap-hours', '1'])
  expect(rotated.signingSecret).toMatch(/^[0-9a-f]{64}$/)
  expect(rotated.signingSecret).not.toBe(app.signingSecret)
  expect((await floor.run(['apps', 'delete', app.appId])).code).toBe(0)
  expect((await floor.run(['apps', 'show', app.appId])).code).toBe(3)
})

test('whose pages may read an app’s streams is said, changed and taken back, and its streams are cleared', async () => {
  await using floor = await openRelay()
  const { appId, signingSecret, streamSecret } = await floor.createApp('http://127.0.0.1:9/')
  const environment = { RELAY_URL: floor.url, RELAY_SIGNING_SECRET: signingSecret }
  const ask = async (...args: readonly string[]): Promise<App> =>
    JSON.parse((await runMpesaStkHere(['apps', ...args, '--json'], environment)).out)
  const origins = ['--allowed-origin', 'https://shop.example', '--allowed-origin', 'http://localhost:5173']
  const made = await ask('create', '--target', 'http://127.0.0.1:9/', '--public-streams', ...origins)
  const allowedOrigins = ['https://shop.example', 'http://localhost:5173']
  expect(made).toMatchObject({ publicStreams: true, allowedOrigins })
  expect(await ask('update', appId, ...origins)).toMatchObject({ publicStreams: false, allowedOrigins })
  expect(await ask('update', appId, '--public-streams')).toMatchObject({ publicStreams: true, allowedOrigins })
  expect(await ask('update', appId, '--target', 'http://127.0.0.1:9/b')).toMatchObject({ publicStreams: true })
  expect(await ask('update', appId, '--no-public-streams', '--allowed-origin', 'any')).toMatchObject({
    publicStreams: false,
    allowedOrigins: null,
  })
  const rotated = await ask('rotate-stream-secret', appId)
  expect(rotated['streamSecret']).toMatch(/^[0-9a-f]{64}$/)
  expect(rotated['streamSecret']).not.toBe(streamSecret)
  expect(await ask('clear-stream', appId)).toEqual({ cleared: false })
})

test('a merchant shows his app with the secret of a file or of the environment, and nobody else’s', async () => {
  await using floor = await openFloor()
  const [mine, other] = [await floor.createApp('http://127.0.0.1:9/'), await floor.createApp('http://127.0.0.1:9/')]
  const file = join(floor.folder, 'secret')
  writeFileSync(file, `${mine.signingSecret}\n`)
  const merchant = { RELAY_ADMIN_TOKEN: '', RELAY_SIGNING_SECRET: mine.signingSecret }
  expect((await floor.run(['apps', 'show', mine.appId, '--token-file', file], { RELAY_ADMIN_TOKEN: 'x' })).code).toBe(0)
  expect((await floor.run(['apps', 'show', mine.appId], merchant)).code).toBe(0)
  const refused = await floor.run(['apps', 'show', other.appId], merchant)
  expect([refused.code, refused.stdout]).toEqual([4, ''])
  expect(refused.stderr).toMatch(/^MPESA_STK_RELAY_UNAUTHORISED: /)
})

test('what is no number is refused before it is null, which takes a quota away', async () => {
  await using floor = await openRelay()
  const { appId, signingSecret } = await floor.createApp('http://127.0.0.1:9/')
  const environment = { RELAY_URL: floor.url, RELAY_SIGNING_SECRET: signingSecret }
  const update = (...more: readonly string[]) =>
    runMpesaStkHere(['apps', 'update', appId, '--json', ...more], environment)
  expect((await update('--daily-quota', '5')).code).toBe(0)
  for (const wrong of [
    ['--daily-quota', '10k'],
    ['--daily-quota', ''],
    ['--schedule', ''],
    ['--schedule', '1000,,2000'],
  ]) {
    const { code, out, err } = await update(...wrong)
    expect([wrong, code, out, err]).toEqual([wrong, 2, '', expect.stringContaining('MPESA_STK_CLI_USAGE')])
  }
  expect(JSON.parse((await update()).out)).toMatchObject({ dailyQuota: 5, scheduleMs: null })
})

test('a redirect is followed nowhere: it is said that no relay answers there', async () => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.writeHead(302, { location: '/elsewhere' }).end()
  })
  onTestFinished(() => void server.close())
  const environment = { RELAY_URL: `http://127.0.0.1:${await listen(server)}`, RELAY_ADMIN_TOKEN: 'operator' }
  const { code, err } = await runMpesaStkHere(['apps', 'disable', 'app'], environment)
  expect([code, err]).toEqual([5, expect.stringContaining('(302) is no mpesa-stk relay')])
  expect(asked).toEqual(['PATCH /apps/app'])
})
