import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findServices } from './find.ts'
import { identify } from './process-identity.ts'
import { writeRegistry } from './registry.ts'

let folder: string
let fakeRedis: Server
let port: number
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'find-'))
  fakeRedis = createServer(socket => socket.on('data', () => socket.end('+PONG\r\n')))
  await new Promise<void>(resolve => fakeRedis.listen(0, '127.0.0.1', resolve))
  const address = fakeRedis.address()
  port = typeof address === 'object' && address ? address.port : 0
})
afterEach(async () => {
  await new Promise(resolve => fakeRedis.close(resolve))
  rmSync(folder, { recursive: true })
})

const redisOf = (startedAt: string) => ({
  redis: { ...identify(process.pid), startedAt, port, url: `redis://127.0.0.1:${port}`, version: '7' },
})
const ourStart = identify(process.pid).startedAt
const bare = { PATH: '', CHROMIUM_PATH: 'none' }

test('finds a recorded server that answers', async () => {
  writeRegistry(redisOf(ourStart), folder)
  expect(await findServices(bare, folder)).toEqual({ redis: { url: `redis://127.0.0.1:${port}` } })
})

test('a record alone is not enough: the server must answer', async () => {
  writeRegistry(redisOf(ourStart), folder)
  await new Promise(resolve => fakeRedis.close(resolve))
  expect(await findServices(bare, folder)).toEqual({})
})

test('an answer alone is not enough: it must be the process that was recorded', async () => {
  writeRegistry(redisOf('12345'), folder)
  expect(await findServices(bare, folder)).toEqual({})
})

test('a variable decides alone, unprobed, and the word none does without', async () => {
  writeRegistry(redisOf(ourStart), folder)
  expect(await findServices({ ...bare, TEST_REDIS_URL: 'none' }, folder)).toEqual({})
  const env = { TEST_REDIS_URL: 'redis://a:1', TEST_DATABASE_URL: 'postgres://b', CHROMIUM_PATH: '/c' }
  expect(await findServices(env, folder)).toEqual({
    redis: { url: 'redis://a:1' },
    postgres: { url: 'postgres://b' },
    chromium: { path: '/c' },
  })
})
