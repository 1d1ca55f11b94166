import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { explain } from 'mpesa-stk'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-start-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

// Words of the command line that `npm start` runs. npm and the tsx launcher are left out: a signal would end them first.
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: { start: string } }
const [launcher, ...startWords] = scripts.start.split(' ')

type Demo = {
  readonly child: ChildProcess
  readonly out: () => string
  readonly errors: () => string
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>
}

const running = new Set<ChildProcess>()
afterAll(() => {
  for (const child of running) child.kill('SIGKILL')
})

const start = (...flags: string[]): Demo => startIn({}, ...flags)

function startIn(environment: Readonly<Record<string, string>>, ...flags: string[]): Demo {
  const { PORT: _port, NO_COLOR: _noColor, NODE_OPTIONS: _options, ...inherited } = process.env
  const env = { ...inherited, ...environment }
  const child = spawn(process.execPath, ['--import', 'tsx', ...startWords, ...flags], { cwd: root, env })
  running.add(child)
  const text = { out: '', errors: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    text.out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    text.errors += chunk.toString()
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => {
      running.delete(child)
      resolve(code)
    })
  })
  return { child, out: () => text.out, errors: () => text.errors, ended }
}

type Addresses = { readonly shop: string; readonly simulator: string; readonly relay: string }

/** The addresses in the line that begins with `ready`. */
async function ready(demo: Demo): Promise<Addresses> {
  const line = await new Promise<string>((resolve, reject) => {
    demo.child.stdout?.on('data', () => {
      const found = /^ready .*(?=\n)/m.exec(demo.out())?.[0]
      if (found !== undefined) resolve(found)
    })
    demo.ended.then(code => reject(new Error(`ended with ${code} before it was ready: ${demo.errors()}`)), reject)
  })
  const address = String.raw`(http://127\.0\.0\.1:\d+)`
  const named = new RegExp(`^ready  shop ${address}  phone \\(simulator\\) ${address}  relay ${address}$`).exec(line)
  if (named === null) throw new Error(`not the ready line: ${line}`)
  const [, shop = '', simulator = '', relay = ''] = named
  return { shop, simulator, relay }
}

const freePorts = ['--port', '0', '--simulator-port', '0', '--relay-port', '0'] as const

const startFree = (data: string, ...flags: string[]): Demo =>
  start(...freePorts, '--data', join(folder, data), ...flags)

/** What the shop keeps of its app at the relay. */
function relayAppOf(data: string): { readonly appId: string; readonly signingSecret: string } {
  return JSON.parse(readFileSync(join(folder, data, 'relay-app.json'), 'utf8')) as ReturnType<typeof relayAppOf>
}

type PaymentBody = { readonly id: string; readonly status: string; readonly receipt: string | null }

const postJson = (url: string, body: object): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

test('npm start runs what this file runs', () => {
  expect(launcher).toBe('tsx')
})

describe('npm start', { timeout: 60_000 }, () => {
  test('is ready, takes a payment that a person approves, and ends cleanly on a signal', async () => {
    const demo = startFree('pays')
    const { shop, simulator, relay } = await ready(demo)
    expect(demo.out().match(/^ready/gm)).toHaveLength(1)
    for (const address of [shop, simulator, relay]) expect((await fetch(address)).status).toBe(200)

    const order = { phoneNumber: '0712 345 678', amount: 500, idempotencyKey: 'start-test-1' }
    const { id, status } = (await (await postJson(`${shop}/api/payments`, order)).json()) as PaymentBody
    expect(status).toBe('PENDING')
    const approved = await postJson(`${simulator}/__sim/phone/254712345678/respond`, { action: 'approve' })
    expect(approved.status).toBe(200)
    // Over the relay: Safaricom's callback is acknowledged before the shop has it.
    await expect
      .poll(async () => (await fetch(`${shop}/api/payments/${id}`)).json(), { timeout: 10_000 })
      .toMatchObject({ status: 'SUCCESS', receipt: expect.stringMatching(/^\w{10}$/) })
    const { signingSecret } = relayAppOf('pays')

    demo.child.kill('SIGTERM')
    expect(await demo.ended).toBe(0)
    expect(demo.errors()).toBe('')
    expect(`${demo.out()}${demo.errors()}`).not.toContain('712345678')
    expect(demo.out()).not.toContain(signingSecret)
  })

  test('keeps payments over a restart', async () => {
    const first = startFree('restart')
    const { shop } = await ready(first)
    const order = { phoneNumber: '254700004999', product: 'kiondo', idempotencyKey: 'start-test-2' }
    const { id } = (await (await postJson(`${shop}/api/payments`, order)).json()) as PaymentBody
    first.child.kill('SIGINT')
    expect(await first.ended).toBe(0)
    const app = relayAppOf('restart')
    const second = startFree('restart')
    const again = await ready(second)
    expect(relayAppOf('restart')).toEqual(app)
    expect(await (await fetch(`${again.shop}/api/payments/${id}`)).json()).toMatchObject({ id, status: 'PENDING' })
    const title = { en: 'Kiondo basket', sw: 'Kikapu cha kiondo' }
    expect(await (await fetch(`${again.shop}/api/payments`)).json()).toMatchObject({ payments: [{ id, title }] })
    second.child.kill('SIGTERM')
    expect(await second.ended).toBe(0)
  })

  // Its limit is below the minute that a prompt waits: nothing may wait for that.
  test('ends while a push waits for its answer, and never forgets that push', { timeout: 40_000 }, async () => {
    const order = { phoneNumber: '0733 000 222', amount: 500, idempotencyKey: 'start-test-3' }
    const first = startFree('waits', '--latency', 'realistic')
    const { shop, simulator } = await ready(first)
    const events = await fetch(`${simulator}/__sim/events`)
    const answer = postJson(`${shop}/api/payments`, order).then(
      response => response.status,
      () => 'cut off',
    )
    await readUntil(events, 'push-accepted')
    first.child.kill('SIGTERM')
    expect(await first.ended).toBe(0)
    expect([201, 'cut off']).toContain(await answer)
    const second = startFree('waits')
    const again = await ready(second)
    const { status } = (await (await postJson(`${again.shop}/api/payments`, order)).json()) as PaymentBody
    expect(status).toBe('UNKNOWN')
    second.child.kill('SIGTERM')
    expect(await second.ended).toBe(0)
  })

  test('says what to do when a port or the data is taken', async () => {
    const first = startFree('taken')
    const { shop, simulator, relay } = await ready(first)
    const ports = [new URL(shop).port, new URL(simulator).port, new URL(relay).port] as const
    const [shopPort, simulatorPort, relayPort, data] = [
      start(...freePorts, '--port', ports[0], '--data', join(folder, 'other-1')),
      start(...freePorts, '--simulator-port', ports[1], '--data', join(folder, 'other-2')),
      start(...freePorts, '--relay-port', ports[2], '--data', join(folder, 'other-3')),
      startFree('taken'),
    ]
    const ends = [shopPort, simulatorPort, relayPort, data].map(({ ended }) => ended)
    expect(await Promise.all(ends)).toEqual([1, 1, 1, 1])
    const beside = 'npm start -- --data .data/second --port 0 --simulator-port 0 --relay-port 0\n'
    expect(shopPort.errors()).toMatch(new RegExp(`^Port ${ports[0]} .* in use.*: ${beside}$`))
    expect(simulatorPort.errors()).toMatch(new RegExp(`^Port ${ports[1]} .* in use.*: ${beside}$`))
    expect(relayPort.errors()).toMatch(new RegExp(`^Port ${ports[2]} .* in use; the relay wants it.*: ${beside}$`))
    expect(data.errors()).toMatch(
      new RegExp(`^Another process has .*shop\\.db open.*MPESA_STK_SQLITE_IN_USE.*: ${beside}$`),
    )
    expect(readdirSync(folder).filter(name => name.startsWith('other-'))).toEqual([])
    first.child.kill('SIGTERM')
    expect(await first.ended).toBe(0)
  })

  test('says what to do when the data folder cannot be used', async () => {
    const file = join(folder, 'a-file')
    writeFileSync(file, '')
    const demo = start(...freePorts, '--data', join(file, 'below'))
    expect(await demo.ended).toBe(1)
    expect(demo.errors()).toMatch(/^Cannot keep payments in .*--data DIR\n$/)
  })

  test.each([
    ['an unknown flag', ['--colour'], /unknown option '--colour'/],
    ['an unknown scenario', ['--once', '--scenario', 'rich'], /'rich' is invalid.*forged-callback/],
    ['a port that is none', ['--port', '80x'], /whole number from 0 to 65535/],
    ['a scenario without --once', ['--scenario', 'paid'], /only with --once/],
  ])('refuses %s with exit code 2', async (_what, flags, message) => {
    const demo = start(...flags)
    expect(await demo.ended).toBe(2)
    expect(demo.errors()).toMatch(message)
    expect(demo.errors()).not.toMatch(/^\s+at /m)
  })

  test('--help names every flag with its default, and every scenario', async () => {
    const demo = start('--help')
    expect(await demo.ended).toBe(0)
    const help = demo.out().replace(/\s+/g, ' ')
    for (const flag of [
      '--port',
      '--simulator-port',
      '--relay-port',
      '--host',
      '--data',
      '--latency',
      '--once',
      '--scenario',
      '--json',
    ])
      expect(help).toContain(flag)
    for (const value of [
      'default: 3000',
      'default: 4010',
      'default: 4020',
      '"127.0.0.1"',
      '".data"',
      '"none"',
      '"paid"',
    ])
      expect(help).toContain(value)
    expect(Object.keys(scenarios).filter(name => !help.includes(` ${name} `))).toEqual([])
  })
})

const scenarios = {
  paid: 'SUCCESS',
  cancelled: 'CANCELLED',
  'wrong-pin': 'FAILED',
  'insufficient-funds': 'FAILED',
  unreachable: 'TIMEOUT',
  expired: 'EXPIRED',
  busy: 'FAILED',
  'limit-rule': 'FAILED',
  'wrong-till': 'FAILED',
  'duplicate-callbacks': 'SUCCESS',
  'callback-lost': 'SUCCESS',
  'callback-before-ack': 'SUCCESS',
  'ack-lost': 'SUCCESS',
  refused: 'REFUSED',
  unknown: 'UNKNOWN',
  'forged-callback': 'SUCCESS',
  'shop-down': 'SUCCESS',
} as const

describe('npm start -- --once', { timeout: 60_000 }, () => {
  test.each(Object.entries(scenarios))('--scenario %s ends %s', async (scenario, status) => {
    const demo = start('--once', '--scenario', scenario, '--json')
    expect(await demo.ended).toBe(0)
    const told: unknown = JSON.parse(demo.out())
    // An answer to a query carries no receipt.
    const receipt = status === 'SUCCESS' && scenario !== 'callback-lost' ? expect.stringMatching(/^\w{10}$/) : null
    expect(told).toMatchObject({ scenario, expected: status, status, ok: true, receipt, payment: { status } })
    const steps = (told as { timeline: { by: string; step: string }[] }).timeline.map(
      ({ by, step }) => `${by}: ${step}`,
    )
    expect(steps).toContain('shop: Push sent')
    // Whatever Safaricom posts goes over the relay.
    const [posts, stored] = [steps.indexOf('safaricom: Posts the callback'), steps.indexOf('relay: Callback stored')]
    if (posts !== -1) expect(steps.indexOf('relay: Delivers it')).toBeGreaterThan(stored)
    if (posts !== -1 && scenario !== 'forged-callback') expect(stored).toBeGreaterThan(posts)
    expect(demo.out()).not.toMatch(/712345678|ws_CO_/)
    expect(demo.errors()).toBe('')
  })

  test('ends the story of a refused push and of an unknown one', async () => {
    const [refused, unknown] = [start('--once', '--scenario', 'refused'), start('--once', '--scenario', 'unknown')]
    expect(await Promise.all([refused.ended, unknown.ended])).toEqual([0, 0])
    expect(refused.out()).toMatch(
      /^REFUSED .*\n(.+\n)+\nSUCCESS {2}receipt \w{10} .* the second attempt, with the same key\n$/m,
    )
    expect(unknown.out()).toMatch(/what a shop does: do not offer to pay again.*statement.*\n$/)
  })

  test('prints a table, the result, and both languages, without colours into a pipe, and leaves nothing behind', async () => {
    const temporary = mkdtempSync(join(folder, 'tmp-'))
    const demo = startIn({ TMPDIR: temporary }, '--once', '--scenario', 'cancelled')
    expect(await demo.ended).toBe(0)
    const { customer } = explain('stk-callback', '1032')
    const lines = demo.out().split('\n')
    expect(lines).toContain(`  en  ${customer.en}`)
    expect(lines).toContain(`  sw  ${customer.sw}`)
    expect(lines.some(line => /^CANCELLED {2}no receipt {2}KES 1,500/.test(line))).toBe(true)
    expect(lines.filter(line => /^\d\d:\d\d:\d\d\.\d{3} +\+\d+ ms {2}\w/.test(line)).length).toBeGreaterThan(4)
    expect(demo.out()).not.toContain('\u001b[')
    expect(readdirSync(temporary).filter(name => name.startsWith('mpesa-stk-once-'))).toEqual([])
  })
})

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
const isBrowserHere = existsSync(executablePath)
const chromiumFlags =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'
if (!isBrowserHere)
  console.warn(`start.test.ts: the page is not opened, because there is no ${executablePath} (CHROMIUM_PATH)`)

describe.skipIf(!isBrowserHere && process.env['REQUIRE_ALL'] !== '1')('the page', { timeout: 60_000 }, () => {
  let browser: Browser
  let demo: Demo
  let urls: Addresses
  beforeAll(async () => {
    demo = startFree('page')
    ;[browser, urls] = await Promise.all([
      chromium.launch({ executablePath, args: chromiumFlags.split(' ') }),
      ready(demo),
    ])
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    demo?.child.kill('SIGTERM')
    await demo?.ended
  })

  async function openShop(): Promise<{ readonly page: Page; readonly complaints: readonly string[] }> {
    const page = await (await browser.newContext({ locale: 'en-KE' })).newPage()
    const complaints: string[] = []
    page.on('pageerror', error => complaints.push(error.message))
    page.on('console', message => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    await page.goto(urls.shop)
    await page.getByRole('link', { name: 'Open the phone' }).waitFor()
    return { page, complaints }
  }

  /** Every push that reached Safaricom, also one that it refused because the phone was busy. */
  async function countPushes(): Promise<number> {
    const response = await fetch(`${urls.simulator}/__sim/requests`)
    const { requests } = (await response.json()) as { requests: { path: string }[] }
    return requests.filter(({ path }) => path.endsWith('/processrequest')).length
  }

  test('shows a payment to a test number with its receipt and its story', async () => {
    const { page, complaints } = await openShop()
    await page.getByRole('button', { name: 'Pays', exact: true }).click()
    await page.getByRole('button', { name: /Pay with M-PESA/ }).click()
    await page.getByRole('heading', { name: 'Paid. Asante!' }).waitFor()
    expect(await page.locator('#receipt').textContent()).toMatch(/^\w{10}$/)
    await page.locator('#payments summary').first().click()
    await page.getByText('Settled SUCCESS').waitFor()
    expect(await page.locator('#payments').textContent()).toContain('2547*****000')
    expect(complaints).toEqual([])
    await page.context().close()
  })

  test('lets a free number approve on the phone; a double click and a reload push once', async () => {
    const { page, complaints } = await openShop()
    const pushesBefore = await countPushes()
    await page.getByLabel('M-PESA phone number').fill('0722 000 111')
    await page.getByRole('button', { name: /Pay with M-PESA/ }).dblclick()
    await page.getByRole('heading', { name: 'Look at your phone' }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'Look at your phone' }).waitFor()
    expect(await countPushes()).toBe(pushesBefore + 1)
    const [phone] = await Promise.all([
      page.context().waitForEvent('page'),
      page.locator('#payment-actions').getByRole('link', { name: 'Open the phone' }).click(),
    ])
    await phone.getByLabel('M-PESA PIN, four digits').fill('1234')
    await phone.getByRole('button', { name: 'Send' }).click()
    await page.bringToFront()
    await page.getByRole('heading', { name: 'Paid. Asante!' }).waitFor()
    expect(await page.locator('#receipt').textContent()).toMatch(/^\w{10}$/)
    expect(complaints).toEqual([])
    await page.context().close()
  })

  test('explains a cancelled payment in Swahili and in English', async () => {
    const { page, complaints } = await openShop()
    await page.getByRole('button', { name: 'Kiswahili' }).click()
    await page.getByRole('button', { name: 'Anasitisha' }).click()
    await page.getByRole('button', { name: /Lipa na M-PESA/ }).click()
    const { customer } = explain('stk-callback', '1032')
    await page.getByText(customer.sw).waitFor()
    expect(await page.getByText(customer.en).isVisible()).toBe(false)
    await page.getByText('In English').click()
    await page.getByText(customer.en).waitFor()
    expect(await page.locator('html').getAttribute('lang')).toBe('sw')
    expect(complaints).toEqual([])
    await page.context().close()
  })

  test('never prompts again for an order whose payment is unknown', async () => {
    const { page } = await openShop()
    await page.getByRole('button', { name: 'Nobody knows' }).click()
    const pushesBefore = await countPushes()
    for (const _again of [1, 2]) {
      await page.getByRole('button', { name: /Pay with M-PESA/ }).click()
      await page.getByRole('heading', { name: 'Do not pay again' }).waitFor()
      await page.getByRole('button', { name: 'Order something else' }).click()
    }
    expect(await countPushes()).toBe(pushesBefore + 1)
    await page.context().close()
  })

  test('says so when nobody answers, and lets the customer go at any time', async () => {
    const { page, complaints } = await openShop()
    let isOverdue = false
    await page.route(/\/api\/payments(\/[^/]+)?$/, async route => {
      const response = await route.fetch()
      const overdueInMs = isOverdue ? null : 300
      await route.fulfill({ response, json: { ...((await response.json()) as object), isOverdue, overdueInMs } })
    })
    await page.getByRole('button', { name: 'Never answered' }).click()
    await page.getByRole('button', { name: /Pay with M-PESA/ }).click()
    await page.getByRole('heading', { name: 'Look at your phone' }).waitFor()
    await page.getByText('any PIN but 0000').waitFor()
    isOverdue = true
    await page.getByRole('heading', { name: 'Still no answer. Do not pay again' }).waitFor()
    await page.getByText('Check your M-PESA messages').waitFor()
    expect(await page.getByText('any PIN').isVisible()).toBe(false)
    const order = /DUKA-\w{6}/.exec((await page.locator('#payment-facts').textContent()) ?? '')?.[0] ?? ''
    isOverdue = false
    await page.reload()
    await page.getByRole('heading', { name: 'Look at your phone' }).waitFor()
    await page.getByRole('button', { name: 'Order something else' }).click()
    await page.getByRole('heading', { name: 'What would you like?' }).waitFor()
    await page.locator('#payments li', { hasText: order }).getByText('Waiting').waitFor()
    expect(complaints).toEqual([])
    await page.context().close()
  })

  test('tells at the field that an amount is none, and keeps the button readable', async () => {
    const { page } = await openShop()
    const pay = page.locator('#pay')
    await page.getByLabel('Other amount').check()
    const amount = page.getByLabel('Amount in KES')
    for (const wrong of ['', '12.5', '0', '250001', 'ten']) {
      await amount.fill(wrong)
      expect(await pay.innerText()).toBe('Pay with M-PESA')
      await pay.click()
      await page.getByText('Enter a whole number of shillings from 1 to 250,000.').waitFor()
      expect(await amount.getAttribute('aria-invalid')).toBe('true')
      await amount.fill('250,000')
      expect(await pay.innerText()).toMatch(/KES 250,000$/)
      expect(await page.locator('#amount-problem').textContent()).toBe('')
    }
    await page.context().close()
  })

  test('fits a small screen', async () => {
    const { page } = await openShop()
    for (const width of [320, 390, 1280]) {
      await page.setViewportSize({ width, height: 800 })
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
    }
    await page.context().close()
  })
})

/** Reads an event stream until an event of that name, then lets go of it. */
async function readUntil(stream: Response, event: string): Promise<void> {
  const reader = stream.body?.getReader()
  if (reader === undefined) throw new Error('no stream')
  const decoder = new TextDecoder()
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) throw new Error(`the stream ended before ${event}`)
    text += decoder.decode(value, { stream: true })
    if (text.includes(`event: ${event}`)) return reader.cancel()
  }
}
