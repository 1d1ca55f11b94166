import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createSimulator, type Simulator } from '../simulator.ts'
import { type CallbackSink, type Merchant, openMerchant, openSink, stkCallback } from '../testing/merchant.ts'

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
const absent = !existsSync(executablePath) && process.env['REQUIRE_ALL'] !== '1'
if (absent) console.log(`left out: the handset in a browser (no Chromium at ${executablePath}; set CHROMIUM_PATH)`)

const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run']
const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync']
const screenshots = join(tmpdir(), 'mpesa-stk-simulator-screenshots')
const msisdn = '254712345678'

describe.skipIf(absent)('the handset in a browser', () => {
  let browser: Browser
  let simulator: Simulator
  let sink: CallbackSink
  let merchant: Merchant
  let page: Page
  let complaints: string[]

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: [...args, ...quiet] })
    await mkdir(screenshots, { recursive: true })
  })
  afterAll(() => browser?.close())

  beforeEach(async () => {
    sink = await openSink()
    simulator = await createSimulator({ seed: 1 })
    merchant = await openMerchant(simulator, sink.url)
  })
  afterEach(async () => {
    await page?.close()
    await simulator.close()
    await sink.close()
    expect(complaints).toEqual([])
  })

  async function open(width: number) {
    complaints = []
    page = await browser.newPage({ viewport: { width, height: 900 } })
    page.on('pageerror', error => complaints.push(error.message))
    page.on('console', message => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    await page.goto(simulator.url)
    await page.locator('#link[data-state=live]').waitFor()
    await page.locator('#numbers li').first().waitFor()
  }
  const picture = (name: string, width: number) =>
    page.screenshot({ path: join(screenshots, `${name}-${width}.png`), fullPage: true, animations: 'disabled' })

  it.each([390, 1280])('shows the prompt, takes the PIN and shows the callback, %i px wide', async width => {
    await open(width)
    await picture('idle', width)
    await merchant.push({ PhoneNumber: msisdn })
    await page.getByText('Do you want to pay KES 500 to 174379 Account no. INV-1?').first().waitFor()
    await page.getByRole('button', { name: '1', exact: true }).click()
    await page.getByRole('button', { name: '2', exact: true }).click()
    await picture('prompt', width)
    expect(await page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true)
    await page.getByLabel('M-PESA PIN').focus()
    await page.keyboard.type('34')
    await page.keyboard.press('Enter')
    await page.locator('.attempt', { hasText: 'HTTP 200' }).waitFor()
    expect(stkCallback(sink.bodies[0]).ResultCode).toBe(0)
    const receipt = simulator.transactions()[0]?.receipt ?? 'none'
    await page.locator('#sms-code', { hasText: receipt }).waitFor()
    await picture('callback', width)
    const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
    expect(overflow).toBe(0)
  })

  it('rings without any merchant', async () => {
    await open(1280)
    await page.getByRole('button', { name: 'Make the phone ring' }).click()
    await page.getByText('Account no. TRIAL?').first().waitFor()
    await page.keyboard.type('1234')
    await page.keyboard.press('Enter')
    await page.locator('.attempt', { hasText: 'HTTP 200' }).waitFor()
    expect(simulator.transactions()).toMatchObject([{ state: 'paid', accountReference: 'TRIAL' }])
  })

  it('takes 0000 for the wrong PIN and Escape for cancel', async () => {
    await open(1280)
    for (const answer of ['0000', 'Escape']) {
      const attempted = simulator.waitFor('callback-attempted')
      await merchant.push({ PhoneNumber: msisdn })
      await page.locator('#view-prompt').waitFor()
      await page.getByLabel('M-PESA PIN').focus()
      if (answer === 'Escape') await page.keyboard.press('Escape')
      else {
        await page.keyboard.type(answer)
        await page.keyboard.press('Enter')
      }
      await attempted
      // The page may be behind: what is typed next is for the next prompt.
      await page.locator('#view-prompt').waitFor({ state: 'hidden' })
    }
    expect(sink.bodies.map(body => stkCallback(body).ResultCode)).toEqual([2001, 1032])
    await page.locator('.chip', { hasText: 'Failed 1032' }).waitFor()
  })

  it('shows what a merchant sends as text, whatever it is', async () => {
    await open(1280)
    const AccountReference = '<img src=x onerror="document.title=1">'
    await merchant.push({ PhoneNumber: msisdn, AccountReference })
    await page.locator('#prompt-text', { hasText: AccountReference }).waitFor()
    await page.locator('.facts', { hasText: AccountReference }).waitFor()
    expect(await page.locator('main img').count()).toBe(0)
    expect(await page.title()).toBe('Daraja simulator')
  })

  it('forgets everything at "Start over", and shows one phone if one is chosen', async () => {
    await open(1280)
    await merchant.push({ PhoneNumber: msisdn })
    await merchant.push({ PhoneNumber: '254798765432' })
    await page.locator('#whose option[value="254798765432"]').waitFor({ state: 'attached' })
    await page.getByLabel('Whose phone is this?').selectOption('254798765432')
    await page.locator('#prompt-phone', { hasText: '254 798 765 432' }).waitFor()
    await page.getByRole('button', { name: 'Start over' }).click()
    await page.locator('#empty').waitFor()
    expect(simulator.transactions()).toEqual([])
  })
})
