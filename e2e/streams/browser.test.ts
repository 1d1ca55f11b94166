import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FaultyProxy, openFaultyProxy } from './faulty-proxy.ts'
import { openPageShop } from './page/page-shop.ts'
import type { Told } from './page/payments-page.ts'
import { PlainClient } from './plain-client.ts'
import { openStreamRelay, type StreamApp, type StreamRelay } from './stream-floor.ts'

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
const isAbsent = !existsSync(executablePath) && process.env['REQUIRE_ALL'] !== '1'
if (isAbsent) console.log(`left out: payments in a browser (no Chromium at ${executablePath}; set CHROMIUM_PATH)`)
const args =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'

type Shop = Awaited<ReturnType<typeof openPageShop>>

/** A tab, and what its pages told of themselves, before a reload and after. */
type Tab = {
  readonly page: Page
  readonly told: readonly Told[]
  /** How often each payment's success was handled here. */
  counts(): Readonly<Record<string, number>>
  /** Resolves when so many payments were handled. */
  has(count: number): Promise<void>
  connection(): Extract<Told, { kind: 'connection' }>['status'] | undefined
  isLive(): Promise<void>
}

describe.skipIf(isAbsent)('payments in a browser', { timeout: 150_000 }, () => {
  let browser: Browser
  let relay: StreamRelay
  let app: StreamApp
  let proxy: FaultyProxy
  let shop: Shop
  let offlineMinute: Promise<void>
  let lastNumber = 0

  beforeAll(async () => {
    ;[browser, relay] = await Promise.all([
      chromium.launch({ executablePath, args: args.split(' ') }),
      openStreamRelay(),
    ])
    app = await relay.createApp()
    proxy = await openFaultyProxy(relay.port)
    shop = await openPageShop(() => app)
    // It is away while all the others are tested.
    offlineMinute = spendMinuteOffline()
    offlineMinute.catch(() => {})
  })
  afterAll(async () => {
    await browser?.close()
    await shop?.[Symbol.asyncDispose]()
    await proxy?.[Symbol.asyncDispose]()
    await relay?.[Symbol.asyncDispose]()
  })

  /** Payments that were begun, and not yet paid. */
  async function begin(count: number): Promise<readonly string[]> {
    const names = Array.from({ length: count }, () => `pay_${++lastNumber}`)
    await Promise.all(
      names.map(paymentId => app.link.reportPending({ paymentId, checkoutRequestId: `ws_CO_${paymentId}`, amount: 5 })),
    )
    return names
  }
  const pay = (paymentId: string): Promise<void> =>
    relay.pay(app, {
      checkoutRequestId: `ws_CO_${paymentId}`,
      receipt: `UH${paymentId.replace('pay_', '').padStart(8, '0')}`,
    })

  async function open(
    payments: readonly string[],
    more: { context?: BrowserContext; way?: FaultyProxy; query?: string } = {},
  ): Promise<Tab> {
    const { context = await browser.newContext(), way = proxy, query = '' } = more
    const page = await context.newPage()
    const told: Told[] = []
    await page.exposeFunction('tell', (each: Told) => void told.push(each))
    const counts = (): Record<string, number> => {
      const handled: Record<string, number> = {}
      for (const each of told) {
        if (each.kind !== 'event' || each.status !== 'SUCCESS') continue
        handled[each.stream] = (handled[each.stream] ?? 0) + 1
      }
      return handled
    }
    const connection: Tab['connection'] = () => told.filter(each => each.kind === 'connection').at(-1)?.status
    await page.goto(`${shop.url}/pay/?relay=${way.url}&payments=${payments.join(',')}${query}`)
    return {
      page,
      told,
      counts,
      connection,
      has: count => expect.poll(() => Object.keys(counts()).length, { timeout: 40_000 }).toBe(count),
      async isLive() {
        await expect.poll(() => connection()?.state).toBe('connected')
        const isLive = (payment: string): boolean =>
          told.findLast(each => each.kind === 'stream' && each.stream.endsWith(payment))?.kind === 'stream' &&
          told.some(each => each.kind === 'stream' && each.stream.endsWith(payment) && each.status.state === 'live')
        await expect.poll(() => payments.every(isLive)).toBe(true)
      },
    }
  }

  const once = (payments: readonly string[]) => Object.fromEntries(payments.map(each => [`payment:${each}`, 1]))

  async function spendMinuteOffline(): Promise<void> {
    const context = await browser.newContext()
    const way = await openFaultyProxy(relay.port)
    const payments = await begin(2)
    const tab = await open(payments, { context, way })
    await tab.isLive()
    await context.setOffline(true)
    await way.suffer({ kind: 'refuse' })
    way.dropAll()
    await Promise.all(payments.map(pay))
    await new Promise(resolve => setTimeout(resolve, 60_000))
    // Disconnected is not failed.
    expect(tab.counts()).toEqual({})
    expect(tab.told.some(each => each.kind === 'event' && each.status !== 'PENDING')).toBe(false)
    expect(['offline', 'reconnecting']).toContain(tab.connection()?.state)
    await way.suffer({ kind: 'none' })
    await context.setOffline(false)
    await tab.has(2)
    expect(tab.counts()).toEqual(once(payments))
    expect(tab.connection()?.state).toBe('connected')
    await context.close()
    await way[Symbol.asyncDispose]()
  }

  test('a hundred payments reach five tabs exactly once each, whatever happens to the network, to tabs and to one’s sleep', async () => {
    const payments = await begin(100)
    const tabs = await Promise.all(
      Array.from({ length: 5 }, (_, index) => open(payments.slice(index * 20, index * 20 + 20))),
    )
    const till = await open(['source'])
    await Promise.all(tabs.map(tab => tab.isLive()))
    const [reloaded, offline, asleep] = tabs as [Tab, Tab, Tab]
    const session = await asleep.page.context().newCDPSession(asleep.page)
    const troubles: Readonly<Record<number, () => unknown>> = {
      2: () => proxy.dropAll(),
      4: () => reloaded.page.reload(),
      6: () => offline.page.context().setOffline(true),
      7: () => proxy.suffer({ kind: 'cut', afterBytes: 2_000 }),
      9: () => session.send('Page.setWebLifecycleState', { state: 'frozen' }),
      10: () => proxy.suffer({ kind: 'refuse' }),
      11: () => proxy.dropAll(),
      12: () => proxy.suffer({ kind: 'delay', ms: 50 }),
      14: () => offline.page.context().setOffline(false),
      15: () => reloaded.page.reload(),
      16: () => session.send('Page.setWebLifecycleState', { state: 'active' }),
      17: () => proxy.dropAll(),
      18: () => proxy.suffer({ kind: 'none' }),
    }
    for (let round = 0; round < 20; round++) {
      await troubles[round]?.()
      // One of each tab's.
      await Promise.all(tabs.map((_, index) => pay(payments[index * 20 + round] ?? '')))
    }
    await Promise.all(tabs.map(tab => tab.has(20)))
    for (const [index, tab] of tabs.entries()) {
      expect(tab.counts()).toEqual(once(payments.slice(index * 20, index * 20 + 20)))
    }
    // The till sees all of them, each once, and in the order of the log.
    const seen = (): readonly string[] => till.told.flatMap(each => (each.kind === 'event' ? [each.id] : []))
    const { token } = await app.link.mintToken({ streams: ['source'] })
    using plain = await PlainClient.open(relay.url, { token })
    plain.send({ type: 'subscribe', id: 1, stream: 'source' })
    await plain.until(({ type }) => type === 'live')
    const inLog = plain.of('event').map(({ event }) => (event as { id: string }).id)
    await expect.poll(() => seen().length).toBeGreaterThanOrEqual(inLog.length)
    expect(seen()).toEqual(inLog)
    for (const tab of [...tabs, till]) {
      expect(tab.told.filter(each => each.kind === 'stream' && each.status.state === 'gap')).toEqual([])
      await tab.page.context().close()
    }
  })

  test.each([
    ['the WebSocket is blocked', /^GET \/ws/, 'sse'],
    ['server-sent events are blocked as well', /^GET \/ws|accept: text\/event-stream/i, 'poll'],
  ] as const)('where %s, the next way down serves', async (_what, pattern, transport) => {
    await using way = await openFaultyProxy(relay.port)
    await way.suffer({ kind: 'block', pattern })
    const payments = await begin(3)
    const [first = '', second = '', third = ''] = payments
    await pay(first)
    const tab = await open(payments, { way })
    await tab.has(1)
    expect(tab.connection()).toMatchObject({ state: 'connected', transport })
    await pay(second)
    await tab.has(2)
    // It goes on from the same cursor on whatever comes next.
    await tab.page.reload()
    await pay(third)
    await tab.has(3)
    way.dropAll()
    expect(tab.counts()).toEqual(once(payments))
    expect(tab.connection()?.transport).toBe(transport)
    await tab.page.context().close()
  })

  test('a connection that is dead without a word is replaced when the tab is looked at again', async () => {
    await using way = await openFaultyProxy(relay.port)
    const payments = await begin(1)
    const tab = await open(payments, { way })
    await tab.isLive()
    expect(way.forgetAll()).toBeGreaterThan(0)
    await pay(payments[0] ?? '')
    const [before, dials] = [tab.told.length, way.requests.filter(line => line.startsWith('GET /ws')).length]
    await tab.page.evaluate(() => {
      const page = globalThis as unknown as { document: EventTarget }
      page.document.dispatchEvent(new Event('visibilitychange'))
    })
    await tab.has(1)
    expect(
      tab.told.slice(before).some(each => each.kind === 'connection' && each.status.state === 'reconnecting'),
    ).toBe(true)
    expect(way.requests.filter(line => line.startsWith('GET /ws')).length).toBe(dials + 1)
    expect(tab.counts()).toEqual(once(payments))
    await tab.page.context().close()
  })

  test('and by itself, when nothing was heard for longer than the relay is ever silent', async () => {
    await using way = await openFaultyProxy(relay.port)
    const payments = await begin(1)
    const tab = await open(payments, { way, query: '&skips' })
    await tab.isLive()
    way.forgetAll()
    await pay(payments[0] ?? '')
    await tab.page.evaluate(() => (globalThis as unknown as { skip(ms: number): void }).skip(31_000))
    await tab.has(1)
    expect(tab.counts()).toEqual(once(payments))
    await tab.page.context().close()
  })

  test('a relay that restarts, and a shop that gives no token for a while, cost nothing but time', async () => {
    const payments = await begin(4)
    const [first = '', second = '', third = '', fourth = ''] = payments
    const tab = await open(payments)
    await tab.isLive()
    await pay(first)
    shop.goAway(true)
    await relay.kill()
    await relay.start()
    await pay(second)
    await expect.poll(() => tab.told.some(each => each.kind === 'error' && each.code === 'token_failed')).toBe(true)
    shop.goAway(false)
    await tab.has(2)
    await relay.stop()
    await relay.start()
    await pay(third)
    await pay(fourth)
    await tab.has(4)
    expect(tab.counts()).toEqual(once(payments))
    await tab.page.context().close()
  })

  test('three components in StrictMode show one payment over one socket, and all of them again after a reload', async () => {
    await using way = await openFaultyProxy(relay.port)
    const sockets = (): number => way.requests.filter(line => line.startsWith('GET /ws')).length
    const [payment = ''] = await begin(1)
    const page = await (await browser.newContext()).newPage()
    const complaints: string[] = []
    page.on('pageerror', error => complaints.push(error.message))
    page.on('console', message => void (message.type() === 'error' && complaints.push(message.text())))
    await page.goto(`${shop.url}/react/?relay=${way.url}&payments=${payment}`)
    await page.locator('#status', { hasText: 'PENDING' }).waitFor()
    await page.locator('#history', { hasText: 'payment.pending' }).waitFor()
    await pay(payment)
    await page.locator('#status', { hasText: 'SUCCESS' }).waitFor()
    await page.locator('#receipt', { hasText: 'UH0' }).waitFor()
    expect(await page.locator('#history').textContent()).toBe('mpesa_callback payment.pending')
    expect([sockets(), way.open]).toEqual([1, 1])
    await page.reload()
    await page.locator('#status', { hasText: 'SUCCESS' }).waitFor()
    expect([await page.locator('#history').textContent(), sockets()]).toEqual(['mpesa_callback payment.pending', 2])
    expect(complaints).toEqual([])
    await page.context().close()
  })

  test('a tab that was offline for a minute has everything, and never said that a payment failed', async () => {
    await expect(offlineMinute).resolves.toBeUndefined()
  })
})
