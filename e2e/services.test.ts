import { readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { networkInterfaces } from 'node:os'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findServices } from '../scripts/services/find.ts'
import { askRedis } from '../scripts/services/probe.ts'

// The stores' promises are proven against these servers, so first prove that the servers are what we think.

const { postgres, redis } = await findServices()
const isOurs = { postgres: !process.env['TEST_DATABASE_URL'], redis: !process.env['TEST_REDIS_URL'] }

describe.skipIf(!postgres)('PostgreSQL (skipped when absent: npm run services -- start)', () => {
  let client: pg.Client
  beforeAll(async () => {
    client = new pg.Client({ connectionString: postgres?.url })
    await client.connect()
  })
  afterAll(() => client.end())

  async function ask(question: string): Promise<unknown> {
    const answer = await client.query<[unknown]>({ text: question, rowMode: 'array' })
    return answer.rows[0]?.[0]
  }

  test('is version 14 or newer', async () => {
    expect(Number(await ask('show server_version_num'))).toBeGreaterThanOrEqual(140_000)
  })

  test.for(['fsync', 'synchronous_commit', 'full_page_writes'])('is durable: %s is on', async setting => {
    expect(await ask(`show ${setting}`)).toBe('on')
  })

  test('lets an ordinary role, not a superuser, make a database', async () => {
    expect(await ask('select rolsuper from pg_roles where rolname = current_user')).toBe(false)
    expect(await ask('select rolcreatedb from pg_roles where rolname = current_user')).toBe(true)
  })

  test('runs as a process that is not root', async ({ skip }) => {
    const status = processStatus(Number(await ask('select pg_backend_pid()')))
    if (!isOurs.postgres || !status)
      return skip('its process cannot be seen from here: a server elsewhere, or no /proc')
    expect(userIdIn(status)).not.toBe(0)
  })

  test('listens only on loopback', async ({ skip }) => {
    if (!isOurs.postgres) return skip('TEST_DATABASE_URL names a server that is not ours to judge')
    expect(await ask('show listen_addresses')).toBe('127.0.0.1')
    expect(await addressesThatAccept(Number(new URL(postgres?.url ?? '').port))).toEqual([])
  })
})

describe.skipIf(!redis)('Redis (skipped when absent: npm run services -- start)', () => {
  const url = redis?.url ?? ''

  test('answers PING', async () => {
    expect(await askRedis(url, 'PING')).toBe('+PONG\r\n')
  })

  test('runs as a process that is not root, and listens only on loopback', async ({ skip }) => {
    const info = await askRedis(url, 'INFO server')
    const status = processStatus(Number(/^process_id:(\d+)/m.exec(info)?.[1]))
    if (!isOurs.redis || !status) return skip('its process cannot be seen from here: a server elsewhere, or no /proc')
    expect(userIdIn(status)).not.toBe(0)
    expect(await addressesThatAccept(Number(new URL(url).port))).toEqual([])
  })
})

test('a service is either absent or has an address', async () => {
  const found = await findServices({ TEST_DATABASE_URL: 'none', TEST_REDIS_URL: 'redis://elsewhere:1', PATH: '' })
  expect(found.postgres).toBeUndefined()
  expect(found.redis).toEqual({ url: 'redis://elsewhere:1' })
})

function processStatus(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return undefined
  }
}

function userIdIn(status: string): number {
  return Number(/^Uid:\s+(\d+)/m.exec(status)?.[1])
}

/** This machine's addresses, other than loopback, on which the port takes a connection. */
async function addressesThatAccept(port: number): Promise<string[]> {
  const outside = Object.values(networkInterfaces())
    .flatMap(addresses => addresses ?? [])
    .filter(address => !address.internal && address.family === 'IPv4')
    .map(address => address.address)
  const answers = await Promise.all(outside.map(address => accepts(address, port)))
  return outside.filter((_, index) => answers[index])
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = createConnection({ host, port, timeout: 2_000 })
    const finish = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => finish(true))
    socket.once('error', () => finish(false))
    socket.once('timeout', () => finish(false))
  })
}
