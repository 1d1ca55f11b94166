import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createLookUp } from '../../packages/mpesa-stk/src/outbound/look-up.ts'
import { createSender, type Sender, type SenderOptions } from '../../packages/mpesa-stk/src/outbound/send.ts'
import { type AnswerDns, openDnsServer } from './dns-server.ts'

/** Plays the public internet; everything else is the inside of somebody's network. */
const outside = '127.0.0.2'
const inside = '127.0.0.3'

afterEach(() => {
  vi.restoreAllMocks()
})

/** The same port at several addresses, and where connections came in. */
async function openListeners(...hosts: readonly string[]) {
  const connections: string[] = []
  const servers: Server[] = []
  let port = 0
  for (const host of hosts) {
    const server = createServer((_request, response) => void response.writeHead(200, { connection: 'close' }).end())
    server.on('connection', () => connections.push(host))
    await new Promise<void>(resolve => server.listen(port, host, resolve))
    port = (server.address() as AddressInfo).port
    servers.push(server)
  }
  return {
    port,
    connections,
    async [Symbol.asyncDispose]() {
      for (const server of servers) await new Promise(resolve => server.close(resolve))
    },
  }
}

/** A sender that asks a name server of its own, and may connect to `outside` alone. */
async function openSender(answer: AnswerDns, options: Partial<SenderOptions> = {}) {
  const dns = await openDnsServer(answer)
  const checked: string[] = []
  const lookUp = createLookUp([dns.server])
  let lookUpsEnded = 0
  const sender = createSender({
    // For http; what a name leads to is asked of `isAllowed` all the same.
    allowPrivateTargets: true,
    resolve: host => lookUp(host).finally(() => lookUpsEnded++),
    isAllowed(address) {
      checked.push(address)
      return address === outside
    },
    ...options,
  })
  return {
    dns,
    checked,
    sender,
    lookUpsEnded: () => lookUpsEnded,
    async [Symbol.asyncDispose]() {
      await sender.close()
      await dns[Symbol.asyncDispose]()
    },
  }
}

const post = (sender: Sender, url: string) => sender.send({ url, headers: {}, body: '{}' })
const answered = { outcome: 'answered', httpStatus: 200 }
const refused = { outcome: 'failed', failure: 'target-refused' }

/** Another clock than the system's, on which seconds go by when they are told to. */
function controlSteadyTime() {
  const now = performance.now.bind(performance)
  let aheadMs = 0
  vi.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs)
  return {
    pass(ms: number): void {
      aheadMs += ms
    },
  }
}

describe('a name', () => {
  test('whose answer changes between look-ups is connected to at the very address that was checked, or not at all', async () => {
    const time = controlSteadyTime()
    await using listeners = await openListeners(outside, inside)
    // Harmless the first time and every second time after; whoever looked once more before he connects is led inside.
    await using opened = await openSender((_name, type, asked) => {
      if (type === 'AAAA') return []
      return asked % 2 === 0 ? [outside] : [inside]
    })
    const url = `http://shop.example:${listeners.port}/`
    for (let round = 1; round <= 4; round++) {
      expect(await post(opened.sender, url)).toMatchObject(answered)
      time.pass(6_000)
      expect(await post(opened.sender, url)).toMatchObject(refused)
      time.pass(6_000)
      expect(listeners.connections).toEqual(Array(round).fill(outside))
      expect(opened.dns.asked.filter(each => each.startsWith('A '))).toHaveLength(2 * round)
    }
    expect(opened.checked).toEqual(Array(4).fill([outside, inside]).flat())
  })

  test.each<[string, AnswerDns]>([
    ['two addresses, of which the second is inside', (_name, type) => (type === 'A' ? [outside, inside] : [])],
    ['two addresses, of which the first is inside', (_name, type) => (type === 'A' ? [inside, outside] : [])],
    ['an IPv4 address outside and an IPv6 address inside', (_name, type) => (type === 'A' ? [outside] : ['::1'])],
    ['no IPv4 address, and an IPv6 address inside', (_name, type) => (type === 'A' ? 'NXDOMAIN' : ['::1'])],
    [
      'an alias whose address is inside',
      (_name, type) => (type === 'A' ? { alias: 'inside.example', addresses: [inside] } : []),
    ],
  ])('that has %s is not connected to', async (_what, answer) => {
    await using listeners = await openListeners(outside, inside, '::1')
    await using opened = await openSender(answer)
    expect(await post(opened.sender, `http://shop.example:${listeners.port}/`)).toMatchObject(refused)
    expect(listeners.connections).toEqual([])
  })

  test('that has an alias whose address is outside is connected to', async () => {
    await using listeners = await openListeners(outside, inside)
    await using opened = await openSender((_name, type) =>
      type === 'A' ? { alias: 'shops.example', addresses: [outside] } : [],
    )
    expect(await post(opened.sender, `http://shop.example:${listeners.port}/`)).toMatchObject(answered)
    expect(listeners.connections).toEqual([outside])
  })

  test.each([
    ['mapped', '::ffff:7f00:1'],
    ['NAT64', '64:ff9b::7f00:1'],
    ['6to4', '2002:7f00:1::1'],
  ])('that has the address of this machine in IPv6 disguise (%s) is not connected to', async (_what, address) => {
    await using listeners = await openListeners('127.0.0.1', '::1')
    const dns = await openDnsServer((_name, type) => (type === 'AAAA' ? [address] : []))
    // As the relay has it: nothing but what is public.
    const sender = createSender({ allowPrivateTargets: false, resolve: createLookUp([dns.server]) })
    expect(await post(sender, `https://shop.example:${listeners.port}/`)).toMatchObject(refused)
    expect(dns.asked.toSorted()).toEqual(['A shop.example', 'AAAA shop.example'])
    expect(listeners.connections).toEqual([])
    await sender.close()
    await dns[Symbol.asyncDispose]()
  })
})

describe('a name server', () => {
  test('that is silent costs no more than the deadline of the sender, which does not wait for the look-up to end', async () => {
    await using opened = await openSender(() => 'silence', { deadlineMs: 200 })
    expect(await post(opened.sender, 'http://silent.example/')).toMatchObject({ outcome: 'failed', failure: 'timeout' })
    expect(opened.dns.asked).toContain('A silent.example')
    expect(opened.lookUpsEnded()).toBe(0)
  })

  test('that is silent about many names keeps nobody else waiting', async () => {
    await using listeners = await openListeners(outside)
    await using opened = await openSender((name, type) => {
      if (name !== 'shop.example') return 'silence'
      return type === 'A' ? [outside] : []
    })
    const silent = Array.from({ length: 200 }, (_, index) => {
      // Half of them to one name.
      const host = index % 2 === 0 ? 'silent.example' : `silent-${index}.example`
      return post(opened.sender, `http://${host}:${listeners.port}/`)
    })
    await expect.poll(() => opened.dns.asked).toContain('A silent-199.example')
    expect(await post(opened.sender, `http://shop.example:${listeners.port}/`)).toMatchObject(answered)
    // That of this one name, and of no other.
    expect(opened.lookUpsEnded()).toBe(1)
    await opened.sender.close()
    for (const answer of await Promise.all(silent)) expect(answer.outcome).toBe('failed')
  })

  test('is asked once however many are sent to a name, until five seconds have gone by', async () => {
    const time = controlSteadyTime()
    await using listeners = await openListeners(outside)
    await using opened = await openSender((_name, type) => (type === 'A' ? [outside] : []))
    const url = `http://shop.example:${listeners.port}/`
    const answers = await Promise.all(Array.from({ length: 100 }, () => post(opened.sender, url)))
    for (const answer of answers) expect(answer).toMatchObject(answered)
    expect(await post(opened.sender, url)).toMatchObject(answered)
    expect(listeners.connections).toHaveLength(101)
    const once = ['A shop.example', 'AAAA shop.example']
    expect(opened.dns.asked.toSorted()).toEqual(once)
    time.pass(5_001)
    expect(await post(opened.sender, url)).toMatchObject(answered)
    expect(opened.dns.asked.toSorted()).toEqual([...once, ...once].toSorted())
  })

  test('that knows no such name makes a failed connection, told by its code and without an address', async () => {
    await using opened = await openSender(() => 'NXDOMAIN')
    const answers = await Promise.all([1, 2, 3].map(() => post(opened.sender, 'http://nobody.example/')))
    expect(answers).toEqual(Array(3).fill({ outcome: 'failed', failure: 'connection', message: 'ENOTFOUND' }))
    expect(opened.dns.asked).toHaveLength(2)
  })

  test('whose addresses nobody listens at makes a failed connection, told by its code and without an address', async () => {
    await using opened = await openSender((_name, type) => (type === 'A' ? [outside, outside] : []))
    expect(await post(opened.sender, 'http://shop.example:9/')).toEqual({
      outcome: 'failed',
      failure: 'connection',
      message: 'ECONNREFUSED',
    })
  })
})

test('a name server that is silent about version 6 alone keeps nobody waiting for its other answer', async () => {
  await using dns = await openDnsServer((_name, type) => (type === 'A' ? [outside] : 'silence'))
  expect(await createLookUp([dns.server])('shop.example')).toEqual([{ address: outside, family: 4 }])
  expect(dns.asked.filter(question => question.startsWith('AAAA'))).toHaveLength(1)
})

test('a look-up that fails is made once more by a resolver that knows the name servers of now', async () => {
  await using dns = await openDnsServer((_name, type, asked) => (type === 'A' && asked === 0 ? 'silence' : [outside]))
  // The first resolver is given what cannot be reached; another is made when that fails.
  const { Resolver } = await import('node:dns/promises')
  const setServers = vi.spyOn(Resolver.prototype, 'setServers')
  setServers.mockImplementationOnce(function (this: InstanceType<typeof Resolver>) {
    return Resolver.prototype.setServers.call(this, ['127.0.0.1:1'])
  })
  const addresses = await createLookUp([dns.server])('shop.example')
  expect(addresses).toContainEqual({ address: outside, family: 4 })
  expect(setServers.mock.calls.length).toBeGreaterThanOrEqual(3)
})
