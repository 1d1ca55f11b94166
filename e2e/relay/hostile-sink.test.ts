import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { describe, expect, test } from 'vitest'
import { createSender } from '../../packages/mpesa-stk/src/outbound/send.ts'
import { listen, openSink } from './relay-floor.ts'

const request = (url: string) => ({ url, headers: { 'content-type': 'application/json' }, body: '{}' })

async function sendTo(url: string, deadlineMs = 300, allowPrivateTargets = true) {
  const sender = createSender({ allowPrivateTargets, deadlineMs })
  try {
    return await sender.send(request(url))
  } finally {
    await sender.close()
  }
}

describe('a merchant’s endpoint that', () => {
  test('never answers costs its deadline', async () => {
    await using sink = await openSink()
    sink.answer(() => {})
    expect(await sendTo(sink.url)).toMatchObject({ outcome: 'failed', failure: 'timeout' })
  })

  test('drips a byte now and then costs its deadline: that covers the body too', async () => {
    await using sink = await openSink()
    sink.answer((_request, response) => {
      response.writeHead(200)
      const drip = setInterval(() => response.write('x'), 50)
      response.on('close', () => clearInterval(drip))
    })
    expect(await sendTo(sink.url)).toMatchObject({ outcome: 'failed', failure: 'timeout' })
  })

  test('sends a gigabyte is cut off, and its answer counts', async () => {
    await using sink = await openSink()
    let sent = 0
    sink.answer((_request, response) => {
      response.writeHead(200)
      const chunk = Buffer.alloc(64 * 1024, 'x')
      const more = (): void => {
        while (sent < 2 ** 30 && !response.destroyed) {
          sent += chunk.length
          if (!response.write(chunk)) return void response.once('drain', more)
        }
        response.end()
      }
      more()
    })
    const answer = await sendTo(sink.url, 5_000)
    expect(answer).toMatchObject({ outcome: 'answered', httpStatus: 200 })
    expect(answer.outcome === 'answered' && answer.head.length).toBe(2_048)
    expect(sent).toBeLessThan(32 * 2 ** 20)
  })

  test('redirects is not followed', async () => {
    await using inside = await openSink()
    await using sink = await openSink()
    for (const status of [301, 302, 303, 307, 308]) {
      sink.answer((_request, response) => void response.writeHead(status, { location: inside.url }).end())
      expect(await sendTo(sink.url)).toMatchObject({ outcome: 'answered', httpStatus: status })
    }
    expect(inside.delivered).toEqual([])
  })

  test('cuts the connection, or speaks no HTTP, is a failed attempt', async () => {
    for (const talk of [
      Buffer.alloc(0),
      Buffer.from('SSH-2.0-OpenSSH_9.0\r\n'),
      Buffer.from('HTTP/1.1 9999 No\r\n\r\n'),
    ]) {
      const server = createTcpServer(socket => {
        socket.on('error', () => {})
        socket.once('data', () => socket.end(talk))
      })
      const port = await listen(server as never)
      expect(await sendTo(`http://127.0.0.1:${port}/`)).toMatchObject({ outcome: 'failed', failure: 'connection' })
      await new Promise(resolve => server.close(resolve))
    }
  })

  test('is not there is a failed attempt', async () => {
    expect(await sendTo('http://127.0.0.1:9/')).toMatchObject({ outcome: 'failed', failure: 'connection' })
  })

  test('answers anything from 200 to 599 is heard', async () => {
    await using sink = await openSink()
    for (const status of Array.from({ length: 400 }, (_, index) => 200 + index)) {
      sink.answer((_request, response) => void response.writeHead(status).end())
      expect(await sendTo(sink.url, 2_000)).toMatchObject({ outcome: 'answered', httpStatus: status })
    }
  })
})

describe('a name', () => {
  const resolveTo =
    (...addresses: readonly string[]) =>
    async () =>
      addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))

  test.each([
    ['127.0.0.1'],
    ['10.0.0.1'],
    ['169.254.169.254'],
    ['::1'],
    ['::ffff:127.0.0.1'],
    // One public address of several makes the others no better.
    ['8.8.8.8', '127.0.0.1'],
  ])('that leads to %s is not connected to', async (...addresses) => {
    await using sink = await openSink()
    const sender = createSender({ allowPrivateTargets: false, deadlineMs: 1_000, resolve: resolveTo(...addresses) })
    const answer = await sender.send(request(sink.url.replace('http://127.0.0.1', 'https://shop.example')))
    expect(answer).toMatchObject({ outcome: 'failed', failure: 'target-refused' })
    await sender.close()
    expect(sink.delivered).toEqual([])
  })

  test('whose answer changes between two look-ups is looked up once, and connected to at what was checked', async () => {
    const connections: string[] = []
    const open = (host: string, port = 0) => {
      const server = createTcpServer(socket => {
        connections.push(host)
        socket.on('error', () => {}).destroy()
      })
      return new Promise<{ server: Server; port: number }>(resolve =>
        server.listen(port, host, () => resolve({ server, port: (server.address() as AddressInfo).port })),
      )
    }
    const outside = await open('127.0.0.2')
    const inside = await open('127.0.0.1', outside.port)
    let lookUps = 0
    const sender = createSender({
      allowPrivateTargets: false,
      deadlineMs: 2_000,
      isAllowed: address => address === '127.0.0.2',
      // Harmless when it is checked; whoever looked again would be led inside.
      resolve: async () => [{ address: lookUps++ === 0 ? '127.0.0.2' : '127.0.0.1', family: 4 }],
    })
    const answer = await sender.send(request(`https://shop.example:${outside.port}/`))
    expect(answer).toMatchObject({ outcome: 'failed', failure: 'connection' })
    expect(lookUps).toBe(1)
    expect(connections).toEqual(['127.0.0.2'])
    expect(await sender.send(request(`https://shop.example:${outside.port}/`))).toMatchObject({
      failure: 'target-refused',
    })
    expect(connections).toEqual(['127.0.0.2'])
    await sender.close()
    for (const { server } of [outside, inside]) await new Promise(resolve => server.close(resolve))
  })
})
