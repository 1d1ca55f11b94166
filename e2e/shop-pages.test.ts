import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'mpesa-stk'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openShop, type Shop } from '../examples/shop/src/open-shop.ts'

// The two pages of `npm start` as people see them: a real browser, the real shop, and its relay.

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
const isBrowserHere = existsSync(executablePath)
const chromiumFlags =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'
if (!isBrowserHere)
  console.warn(`shop-pages.test.ts: the pages are not opened, because there is no ${executablePath} (CHROMIUM_PATH)`)

const quiet: Logger = { info: () => {}, warn: () => {}, error: () => {} }
const phone = '254722000111'

describe.skipIf(!isBrowserHere && process.env['REQUIRE_ALL'] !== '1')('the pages of npm start', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-pages-'))
  let browser: Browser
  let shop: Shop
  const contexts: BrowserContext[] = []

  beforeAll(async () => {
    const where = { host: '127.0.0.1', port: 0, simulatorPort: 0, relayPort: 0, data: join(folder, 'data') }
    // A shop that was down for a moment is told soon.
    const scheduleMs = [200, 200, 200, 200, 200]
    ;[browser, shop] = await Promise.all([
      chromium.launch({ executablePath, args: chromiumFlags.split(' ') }),
      openShop({ ...where, latency: 'none', logger: quiet, scheduleMs }),
    ])
  })
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close()
  })
  afterAll(async () => {
    await browser?.close()
    await shop?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function open(path: string, script?: string): Promise<Page> {
    const context = await browser.newContext({ locale: 'en-KE', viewport: { width: 1280, height: 800 } })
    contexts.push(context)
    if (script !== undefined) await context.addInitScript(script)
    const page = await context.newPage()
    await page.goto(`${shop.url}${path}`)
    return page
  }

  const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { name }).waitFor()

  /** Presses the button, for a phone whose owner decides. */
  async function order(page: Page): Promise<void> {
    await page.getByLabel('M-PESA phone number').fill(phone)
    await page.getByRole('button', { name: /Pay with M-PESA/ }).click()
    await heading(page, 'Look at your phone')
    await shop.simulator.waitForTransaction(({ state }) => state === 'prompting')
  }

  /** A payment as somebody else makes it, to its end. */
  async function payElsewhere(phoneNumber: string): Promise<void> {
    const response = await fetch(`${shop.url}/api/payments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ phoneNumber, product: 'chai', idempotencyKey: crypto.randomUUID() }),
    })
    expect(response.status).toBe(201)
    await shop.settled()
  }

  describe('the checkout', () => {
    test('shows what the stream tells, and asks the shop nothing after the push', async () => {
      const page = await open('/')
      await order(page)
      await page.getByText('Live: you will see it here at once').waitFor()
      const asked: string[] = []
      page.on('request', request => asked.push(`${request.method()} ${new URL(request.url()).pathname}`))
      shop.simulator.respond(phone, 'approve')
      await heading(page, 'Paid. Asante!')
      await page.getByText('Your order is packed').waitFor()
      expect(await page.locator('#receipt').textContent()).toMatch(/^\w{10}$/)
      await page.locator('#payments li').first().getByText('Paid').waitFor()
      expect(asked).toEqual([])
    })

    test('goes on after a reload in the middle', async () => {
      const page = await open('/')
      await order(page)
      await page.reload()
      await heading(page, 'Look at your phone')
      shop.simulator.respond(phone, 'cancel')
      await heading(page, 'The request was closed')
      await page.getByRole('button', { name: 'Try again' }).waitFor()
    })

    test('cut off, it says that the payment is safe and never that it failed, and tells the end when it is back', async () => {
      const page = await open('/')
      await order(page)
      await page.context().setOffline(true)
      await page.getByText('No connection. We keep trying; your payment is safe.').waitFor()
      await heading(page, 'Look at your phone')
      shop.simulator.respond(phone, 'approve')
      await shop.settled()
      await heading(page, 'Look at your phone')
      await page.context().setOffline(false)
      await heading(page, 'Paid. Asante!')
      expect(await page.locator('#payment-line').textContent()).toBe('')
    })

    test('whose stream cannot be had asks the shop instead', async () => {
      const page = await open('/')
      await page.route('**/api/tokens', route => route.abort())
      await order(page)
      await page.getByText('We ask the shop every few seconds instead.').waitFor()
      shop.simulator.respond(phone, 'approve')
      await heading(page, 'Paid. Asante!')
    })

    test('takes a callback’s word for what it is until the shop has spoken', async () => {
      const page = await open('/')
      await order(page)
      await page.getByText('Live: you will see it here at once').waitFor()
      shop.setDown(true)
      shop.simulator.respond(phone, 'approve')
      await heading(page, 'M-PESA says: paid')
      expect(await page.getByText('Your order is packed').isVisible()).toBe(false)
      shop.setDown(false)
      await heading(page, 'Paid. Asante!')
    })
  })

  describe('the till', () => {
    const line = (page: Page, state: string) => page.locator(`#line[data-line=${state}]`).waitFor()
    const row = (page: Page, state: string) => page.locator(`#rows li[data-state=${state}]`)
    const count = async (page: Page, group: string) => Number(await page.locator(`#count-${group}`).textContent())

    /** Notes each tone that the page has the tablet play. */
    const ear = `
      globalThis.tones = []
      const start = OscillatorNode.prototype.start
      OscillatorNode.prototype.start = function (...when) { tones.push(this.frequency.value); return start.apply(this, when) }`
    const tones = (page: Page) => page.evaluate('tones.splice(0)') as Promise<number[]>

    test('shows a payment by itself, large, and plays; a failure sounds otherwise', async () => {
      const page = await open('/pos', ear)
      await line(page, 'live')
      await page.getByRole('button', { name: 'Turn sound on' }).click()
      await page.getByRole('button', { name: 'Sound is on' }).waitFor()
      const paidTune = await tones(page)
      const [paidBefore, failedBefore] = [await count(page, 'paid'), await count(page, 'failed')]
      await payElsewhere('254700009001')
      await page.locator('#newest[data-state=paid]').waitFor()
      const receipt = shop.simulator.transactions().at(-1)?.receipt ?? ''
      expect(await page.locator('#newest').textContent()).toContain(receipt.slice(-4))
      expect(await page.locator('#newest-amount').textContent()).toBe('KES 320')
      await row(page, 'paid').first().getByText('PAID', { exact: true }).waitFor()
      await page.locator('#announcer', { hasText: `receipt ends ${receipt.slice(-4).split('').join(' ')}` }).waitFor()
      await expect.poll(() => count(page, 'paid')).toBe(paidBefore + 1)
      expect(await tones(page)).toEqual(paidTune)

      await payElsewhere('254700001032')
      await page.locator('#newest[data-state=failed]').waitFor()
      await expect.poll(() => count(page, 'failed')).toBe(failedBefore + 1)
      const failedTune = await tones(page)
      expect(failedTune.length).toBeGreaterThan(0)
      expect(failedTune).not.toEqual(paidTune)
    })

    test('says that it is cut off, goes on by itself, and marks what came meanwhile', async () => {
      const page = await open('/pos', ear)
      await line(page, 'live')
      await page.getByRole('button', { name: 'Turn sound on' }).click()
      await page.getByRole('button', { name: 'Sound is on' }).waitFor()
      await tones(page)
      const before = await count(page, 'all')
      await page.context().setOffline(true)
      await line(page, 'offline')
      await page.getByText(/^Offline since \d\d:\d\d$/).waitFor()
      await page.getByText('Do not hand over from memory').waitFor()
      await payElsewhere('254700009001')
      expect(await count(page, 'all')).toBe(before)
      await page.context().setOffline(false)
      await line(page, 'missed')
      await page.getByText('Live again. Came while offline: 1').waitFor()
      await row(page, 'paid').getByText('came while offline').waitFor()
      expect(await count(page, 'all')).toBe(before + 1)
      expect((await tones(page)).length).toBeGreaterThan(0)
      await page.getByRole('button', { name: 'Seen' }).click()
      await line(page, 'live')
      expect(await page.getByText('came while offline').count()).toBe(0)
    })

    test('hears over server-sent events where there are no WebSockets', async () => {
      const page = await open('/pos', 'delete globalThis.WebSocket')
      await line(page, 'live')
      const before = await count(page, 'paid')
      await payElsewhere('254700009001')
      await expect.poll(() => count(page, 'paid')).toBe(before + 1)
    })

    test('says when something of it is gone for good', async () => {
      const page = await open('/pos')
      await line(page, 'live')
      await page.context().setOffline(true)
      await line(page, 'offline')
      const { appId, signingSecret } = shop.relayApp
      const headers = { authorization: `Bearer ${signingSecret}` }
      const cleared = await fetch(`${shop.relay.url}/v1/apps/${appId}/stream/clear`, { method: 'POST', headers })
      expect(cleared.ok).toBe(true)
      await page.context().setOffline(false)
      await line(page, 'gap')
      await page.getByText('Gap: some payments may be missing').waitFor()
    })

    test('speaks Swahili, filters, and fits its screens', async () => {
      await payElsewhere('254700009001')
      const page = await open('/pos')
      await line(page, 'live')
      await page.getByRole('button', { name: 'Kiswahili' }).click()
      await page.getByText('Moja kwa moja').waitFor()
      await row(page, 'paid').first().getByText('YAMELIPWA').waitFor()
      await page.getByRole('button', { name: /Yanasubiri/ }).click()
      expect(await row(page, 'paid').count()).toBe(0)
      await page.getByRole('button', { name: /Yamelipwa/ }).click()
      expect(await row(page, 'paid').count()).toBe(await count(page, 'paid'))
      for (const width of [320, 390, 768, 1280]) {
        await page.setViewportSize({ width, height: 800 })
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
      }
    })
  })
})
