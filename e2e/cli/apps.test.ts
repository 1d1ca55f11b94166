import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { openFloor } from './cli-floor.ts'

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
