import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'mpesa-stk'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openOrderEvents } from './order-events.ts'
import { createOrders } from './orders.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-orders-'))
  path = join(folder, 'orders.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const warnings: string[] = []
const logger: Logger = { info: () => {}, warn: (_fields, message) => warnings.push(message), error: () => {} }
beforeEach(() => {
  warnings.length = 0
})

const checkout = {
  phoneNumber: '0712 345 678',
  amount: 1500,
  title: { en: 'Maasai shuka', sw: 'Shuka ya Kimaasai' },
  reference: 'DUKA-1',
  idempotencyKey: '0712345678',
}
const open = () => createOrders(openOrderEvents(path), logger)

function orderPaid(): void {
  const orders = open()
  orders.place(checkout)
  orders.addPayment('DUKA-1', 'payment-1')
  orders.addPayment('DUKA-1', 'payment-2')
  orders.pack('DUKA-1')
}

test('orders outlive the process, in a file of their owner, without a phone number', () => {
  orderPaid()
  const orders = open()
  const { amount, title } = checkout
  const paymentIds = ['payment-1', 'payment-2']
  expect(orders.find('DUKA-1')).toEqual({ reference: 'DUKA-1', amount, title, paymentIds, timesPacked: 1 })
  expect(orders.recentPaymentIds()).toEqual(['payment-2', 'payment-1'])
  expect(orders.unpacked()).toEqual([])
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readFileSync(path, 'utf8').replaceAll(' ', '')).not.toContain('712345678')
})

test('a placed order is in the file before anything else happens, and the same order is there once', () => {
  const orders = open()
  orders.place(checkout)
  orders.place(checkout)
  open().place(checkout)
  expect(readFileSync(path, 'utf8').match(/"placed"/g)).toHaveLength(1)
})

test('every torn last line is cut off, and the next one is whole', () => {
  orderPaid()
  const whole = readFileSync(path)
  const start = whole.lastIndexOf('\n', whole.length - 2) + 1
  for (let length = start; length < whole.length; length++) {
    writeFileSync(path, whole)
    truncateSync(path, length)
    const orders = open()
    expect(orders.unpacked().map(({ reference }) => reference)).toEqual(['DUKA-1'])
    orders.pack('DUKA-1')
    expect(open().find('DUKA-1')?.timesPacked).toBe(1)
  }
  expect(warnings).toEqual([])
})

test('a line that nobody can read is skipped, and said', () => {
  orderPaid()
  appendFileSync(path, 'oops\n{"event":"placed","order":"DUKA-2"}\n')
  const orders = open()
  orders.place({ ...checkout, reference: 'DUKA-3' })
  expect(open().find('DUKA-3')).not.toBeNull()
  expect(orders.find('DUKA-2')).toBeNull()
  expect(warnings.length).toBeGreaterThan(0)
})

test('a write that fails after the push takes nothing back, and the next line is whole', () => {
  const { past, unreadable, write } = openOrderEvents(path)
  const orders = createOrders({ past, unreadable, write }, logger)
  orders.place(checkout)
  rmSync(folder, { recursive: true })
  orders.addPayment('DUKA-1', 'payment-1')
  expect(orders.recentPaymentIds()).toEqual(['payment-1'])
})
