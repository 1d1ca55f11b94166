import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { listen } from '../relay/relay-floor.ts'
import { openFaultyProxy } from './faulty-proxy.ts'

/** A server that sends back what comes, and greets with what it is told to. */
async function openEcho(greeting = '') {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket.on('error', () => socket.destroy()))
    if (greeting !== '') socket.write(greeting)
    socket.pipe(socket)
  })
  const port = await listen(server as never)
  return {
    port,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** What a client sees: all that it was sent, and how its connection ended. */
function dial(port: number) {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  let ended: string | null = null
  socket.on('data', chunk => {
    text += chunk
  })
  socket.on('error', (error: NodeJS.ErrnoException) => {
    ended = error.code ?? error.message
  })
  socket.on('close', () => {
    ended ??= 'closed'
  })
  return { socket, text: () => text, ended: () => ended, [Symbol.dispose]: () => void socket.destroy() }
}

describe('the faulty proxy', () => {
  test('passes bytes both ways, and an end as an end', async () => {
    await using echo = await openEcho('hello ')
    await using proxy = await openFaultyProxy(echo.port)
    using client = dial(proxy.port)
    client.socket.end('there')
    await expect.poll(client.ended).toBe('closed')
    expect(client.text()).toBe('hello there')
    expect([proxy.total, proxy.open]).toEqual([1, 0])
  })

  test('resets all that is open, at both ends', async () => {
    await using echo = await openEcho('hello')
    await using proxy = await openFaultyProxy(echo.port)
    using client = dial(proxy.port)
    await expect.poll(client.text).toBe('hello')
    expect(proxy.dropAll()).toBe(1)
    await expect.poll(client.ended).toBe('ECONNRESET')
    await expect.poll(() => [...echo.sockets].every(({ destroyed }) => destroyed)).toBe(true)
  })

  test('refuses who is new, and leaves who is there', async () => {
    await using echo = await openEcho('hello ')
    await using proxy = await openFaultyProxy(echo.port)
    using old = dial(proxy.port)
    await expect.poll(old.text).toBe('hello ')
    await proxy.suffer({ kind: 'refuse' })
    using refused = dial(proxy.port)
    await expect.poll(refused.ended).toBe('ECONNREFUSED')
    old.socket.write('again')
    await expect.poll(old.text).toBe('hello again')
    await proxy.suffer({ kind: 'none' })
    using later = dial(proxy.port)
    await expect.poll(later.text).toBe('hello ')
  })

  test('half-open takes connections, old and new, and lets nothing through until it is mended', async () => {
    await using echo = await openEcho('hello ')
    await using proxy = await openFaultyProxy(echo.port)
    using before = dial(proxy.port)
    await expect.poll(before.text).toBe('hello ')
    await proxy.suffer({ kind: 'stall' })
    using during = dial(proxy.port)
    await once(during.socket, 'connect')
    before.socket.write('one')
    during.socket.write('two')
    // What a third connection had time to do on another way, these had as well.
    using beside = dial(echo.port)
    beside.socket.write('three')
    await expect.poll(beside.text).toBe('hello three')
    expect([before.text(), during.text(), before.ended(), during.ended()]).toEqual(['hello ', '', null, null])
    await proxy.suffer({ kind: 'none' })
    await expect.poll(before.text).toBe('hello one')
    await expect.poll(during.text).toBe('hello two')
  })

  test('forgets who is there: he is told nothing and hears nothing, and who comes later is served', async () => {
    await using echo = await openEcho('hello ')
    await using proxy = await openFaultyProxy(echo.port)
    using old = dial(proxy.port)
    await expect.poll(old.text).toBe('hello ')
    expect(proxy.forgetAll()).toBe(1)
    old.socket.write('again')
    using later = dial(proxy.port)
    later.socket.write('new')
    await expect.poll(later.text).toBe('hello new')
    expect([old.text(), old.ended(), proxy.open]).toEqual(['hello ', null, 2])
  })

  test('one way only: what the server says arrives, and it hears nothing', async () => {
    await using echo = await openEcho('hello ')
    await using proxy = await openFaultyProxy(echo.port)
    await proxy.suffer({ kind: 'one-way', towards: 'client' })
    using client = dial(proxy.port)
    client.socket.write('there')
    await expect.poll(client.text).toBe('hello ')
    for (const socket of echo.sockets) socket.write('still ')
    await expect.poll(client.text).toBe('hello still ')
    await proxy.suffer({ kind: 'none' })
    await expect.poll(client.text).toBe('hello still there')
  })

  test('delays what passes, in order, also when the delay ends', async () => {
    await using echo = await openEcho()
    await using proxy = await openFaultyProxy(echo.port)
    using client = dial(proxy.port)
    await proxy.suffer({ kind: 'delay', ms: 100 })
    const began = performance.now()
    client.socket.write('one ')
    await expect.poll(client.text, { interval: 5 }).toBe('one ')
    expect(performance.now() - began).toBeGreaterThan(190)
    client.socket.write('two ')
    await expect.poll(() => [...echo.sockets].some(socket => socket.bytesRead === 8), { interval: 5 }).toBe(true)
    await proxy.suffer({ kind: 'none' })
    client.socket.write('three')
    await expect.poll(client.text).toBe('one two three')
  })

  test('cuts after so many bytes, which all arrive', async () => {
    await using echo = await openEcho('0123456789')
    await using proxy = await openFaultyProxy(echo.port)
    await proxy.suffer({ kind: 'cut', afterBytes: 4 })
    using client = dial(proxy.port)
    await expect.poll(client.ended).not.toBe(null)
    expect(client.text()).toBe('0123')
  })

  test('blocks what it is told to by what is in it, and tells what was asked for', async () => {
    await using echo = await openEcho()
    await using proxy = await openFaultyProxy(echo.port)
    await proxy.suffer({ kind: 'block', pattern: /^GET \/ws/ })
    using blocked = dial(proxy.port)
    blocked.socket.write('GET /ws HTTP/1.1\r\n\r\n')
    await expect.poll(blocked.ended).toBe('ECONNRESET')
    using passed = dial(proxy.port)
    passed.socket.write('GET /other HTTP/1.1\r\n\r\n')
    await expect.poll(passed.text).toContain('/other')
    expect(proxy.requests).toEqual(['GET /ws', 'GET /other'])
  })

  test('goes on to another server when it is told to', async () => {
    await using first = await openEcho('first')
    await using second = await openEcho('second')
    await using proxy = await openFaultyProxy(first.port)
    using early = dial(proxy.port)
    await expect.poll(early.text).toBe('first')
    proxy.aim(second.port)
    using late = dial(proxy.port)
    await expect.poll(late.text).toBe('second')
  })
})
