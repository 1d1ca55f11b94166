import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { MemoryAdapter } from '../adapters/memory.ts'
import { systemClock } from '../platform.ts'
import { request } from './http.ts'
import { createTokenSource, sharedTokenSource } from './token.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

type Answer = { readonly status?: number; readonly body: string; readonly headers?: Record<string, string> }

/** A real OAuth server that gives out token-1, token-2, … and counts. */
async function startOAuth(
  answer: (count: number) => Answer = count => ({
    body: JSON.stringify({ access_token: `token-${count}`, expires_in: '3599' }),
  }),
) {
  const oauth = { count: 0, url: '', authorization: '', connection: '' }
  const server = createServer((incoming, response) => {
    oauth.count++
    oauth.authorization = incoming.headers.authorization ?? ''
    oauth.connection = incoming.headers.connection ?? ''
    const { status = 200, body, headers } = answer(oauth.count)
    response.writeHead(status, headers).end(body)
  })
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  oauth.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return oauth
}

const options = (baseUrl: string) => ({
  baseUrl,
  consumerKey: 'key',
  consumerSecret: 'secret',
  timeoutMs: 5_000,
  clock: systemClock,
  store: new MemoryAdapter(),
})

describe('the token source', () => {
  test('fetches one token for all who ask at once, however they come in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('now', 'microtask', 'tick'), { minLength: 2, maxLength: 40 }),
        async arrivals => {
          const oauth = await startOAuth()
          const source = createTokenSource(options(oauth.url))
          const tokens = await Promise.all(
            arrivals.map(async arrival => {
              if (arrival === 'microtask') await Promise.resolve()
              if (arrival === 'tick') await new Promise(resolve => setImmediate(resolve))
              return source.get()
            }),
          )
          expect(new Set(tokens.map(token => JSON.stringify(token))).size).toBe(1)
          expect(tokens[0]).toMatchObject({ outcome: 'token', token: 'token-1' })
          expect(oauth.count).toBe(1)
        },
      ),
      { numRuns: 20 },
    )
  })

  test('asks with Basic authentication', async () => {
    const oauth = await startOAuth()
    await createTokenSource(options(oauth.url)).get()
    expect(oauth.authorization).toBe(`Basic ${Buffer.from('key:secret').toString('base64')}`)
  })

  test('keeps a token until a minute before its end', async () => {
    const oauth = await startOAuth()
    let now = 0
    const source = createTokenSource({ ...options(oauth.url), clock: { ...systemClock, now: () => new Date(now) } })
    await source.get()
    now = (3_599 - 61) * 1000
    expect(await source.get()).toMatchObject({ token: 'token-1' })
    now = (3_599 - 60) * 1000
    expect(await source.get()).toMatchObject({ token: 'token-2' })
  })

  test('a discarded token is fetched anew, but not because of an older one', async () => {
    const oauth = await startOAuth()
    const source = createTokenSource(options(oauth.url))
    await source.get()
    await source.discard('token-1')
    expect(await source.get()).toMatchObject({ token: 'token-2' })
    await source.discard('token-1')
    expect(await source.get()).toMatchObject({ token: 'token-2' })
  })

  test('a failure is not kept', async () => {
    const oauth = await startOAuth(count =>
      count === 1 ? { status: 400, body: '' } : { body: '{"access_token":"good","expires_in":3599}' },
    )
    const source = createTokenSource(options(oauth.url))
    expect(await source.get()).toMatchObject({ outcome: 'none', code: 'HTTP_400_EMPTY', httpStatus: 400 })
    expect(await source.get()).toMatchObject({ outcome: 'token', token: 'good' })
  })

  test.each<[string, Answer]>([
    ['a page with status 200', { body: '<html></html>' }],
    ['an empty token', { body: '{"access_token":""}' }],
    ['a redirect', { status: 302, body: '', headers: { location: 'http://127.0.0.1:9/' } }],
  ])('takes no token from %s', async (_what, answer) => {
    const oauth = await startOAuth(() => answer)
    expect(await createTokenSource(options(oauth.url)).get()).toMatchObject({ outcome: 'none' })
  })

  test('is one for all clients of a consumer key in this process', () => {
    const one = { ...options('http://127.0.0.1:1'), store: new MemoryAdapter() }
    expect(sharedTokenSource(one)).toBe(sharedTokenSource({ ...one, timeoutMs: 9_999 }))
    expect(sharedTokenSource(one)).not.toBe(sharedTokenSource({ ...one, consumerSecret: 'rotated' }))
  })

  test('is one for all processes of a consumer key, through the store, which cannot read it', async () => {
    const oauth = await startOAuth()
    const store = new MemoryAdapter()
    const processes = Array.from({ length: 5 }, () => createTokenSource({ ...options(oauth.url), store }))
    const tokens = await Promise.all(processes.map(source => source.get()))
    expect(tokens).toEqual(tokens.map(() => ({ outcome: 'token', token: 'token-1' })))
    expect(oauth.count).toBe(1)
    await processes[0]?.discard('token-1')
    await processes[1]?.discard('token-1')
    expect(await Promise.all(processes.slice(0, 2).map(source => source.get()))).toEqual([
      { outcome: 'token', token: 'token-2' },
      { outcome: 'token', token: 'token-2' },
    ])
    expect(oauth.count).toBe(2)
  })

  test('does not wait for ever for a process that died while fetching', async () => {
    const oauth = await startOAuth()
    const store = new MemoryAdapter()
    let now = Date.now()
    const clock = {
      now: () => new Date(now),
      async sleep(ms: number) {
        now += ms
      },
    }
    const far = new Date(now + 24 * 60 * 60 * 1000)
    store.takeToken = async () => (now < far.getTime() ? { outcome: 'wait' } : { outcome: 'fetch' })
    expect(await createTokenSource({ ...options(oauth.url), clock, store }).get()).toMatchObject({ token: 'token-1' })
    expect(now).toBeLessThan(far.getTime())
  })

  test('that cannot be kept, because the store fails, reads as never sent', async () => {
    const oauth = await startOAuth()
    const store = new MemoryAdapter()
    store.takeToken = () => Promise.reject(new Error('disk full'))
    const source = createTokenSource({ ...options(oauth.url), store })
    expect(await source.get()).toMatchObject({ outcome: 'none', code: 'NOT_SENT' })
  })
})

describe('one request', () => {
  const get = (url: string, timeoutMs = 5_000) =>
    request({ method: 'GET', url, headers: {}, deadline: AbortSignal.timeout(timeoutMs) })

  test('that found nobody listening was never sent', async () => {
    const oauth = await startOAuth()
    const [server] = servers.splice(0)
    await new Promise(resolve => server?.close(resolve))
    expect(await get(oauth.url)).toEqual({ outcome: 'not-sent', code: 'ECONNREFUSED' })
  })

  // Seen between two network namespaces: a route that goes away kills an established connection with the same code that
  // a connection which never came about has. Only the system call tells them apart.
  test.each([
    ['connect', 'not-sent'],
    ['read', 'lost'],
    ['write', 'lost'],
    [undefined, 'lost'],
  ])('that failed with ENETUNREACH in %s is %s', async (syscall, outcome) => {
    const cause = Object.assign(new Error('network is unreachable'), { code: 'ENETUNREACH', syscall })
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('fetch failed', { cause })))
    try {
      expect(await get('http://127.0.0.1:9999')).toEqual({ outcome, code: 'ENETUNREACH' })
    } finally {
      vi.unstubAllGlobals()
    }
  })

  test('whose connection broke under it is lost', async () => {
    const server = createServer(incoming => incoming.socket.destroy())
    servers.push(server)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    expect(await get(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)).toMatchObject({ outcome: 'lost' })
  })

  test('that is never answered is lost when its deadline passes, also in the middle of a body', async () => {
    for (const begin of [false, true]) {
      const server = createServer((_incoming, response) => {
        if (begin) response.writeHead(200).write('{"half":')
      })
      servers.push(server)
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      expect(await get(url, 300)).toEqual({ outcome: 'lost', code: 'TIMEOUT' })
    }
  })

  test('uses a connection of its own, which no idle one can break', async () => {
    const oauth = await startOAuth()
    await get(oauth.url)
    expect(oauth.connection).toBe('close')
  })

  test('follows no redirect: the token would go to a stranger', async () => {
    const stranger = await startOAuth()
    const oauth = await startOAuth(() => ({ status: 302, body: '', headers: { location: stranger.url } }))
    expect(await get(oauth.url)).toMatchObject({ outcome: 'answered', answer: { httpStatus: 302 } })
    expect(stranger.count).toBe(0)
  })

  test('reads no more than 64 KiB of an answer', async () => {
    const oauth = await startOAuth(() => ({ body: 'x'.repeat(1_000_000) }))
    const outcome = await get(oauth.url)
    expect(outcome.outcome === 'answered' && outcome.answer.body.length).toBe(64 * 1024)
  })

  test('tells how long to wait when it is told', async () => {
    const oauth = await startOAuth(() => ({ status: 429, body: '', headers: { 'retry-after': '7' } }))
    expect(await get(oauth.url)).toMatchObject({ retryAfterMs: 7_000 })
  })
})
