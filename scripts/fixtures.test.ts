import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type CatalogueApi, lookUpCode } from '../packages/mpesa-stk/src/core/explain/explain.ts'

const root = new URL('../fixtures/daraja/', import.meta.url)

const files = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter(entry => entry.isFile() && entry.name !== 'README.md')
  .map(entry => `${entry.parentPath}/${entry.name}`.replaceAll('\\', '/').replace(/^.*\/fixtures\/daraja\/+/, ''))
  .sort()

const descriptions = new Map(
  [...readText('README.md').matchAll(/^\| `([^`]+\/[^`]+)` \| (.+?) \| (.+?) \| (.+?) \|$/gm)].map(
    ([, file = '', what = '', source = '', confidence = '']) => [file, { what, source, confidence }],
  ),
)

function readText(file: string): string {
  return readFileSync(new URL(file, root), 'utf8')
}

/** The one number that may be here: the sandbox customer that Safaricom prints on its portal. */
const sandboxNumber = '254708374149'
const maskedNumbers = ['254708***149', '0708374***', '2547 ***** 149', '254******149', '*******149']

/** Every phone number in a text: Kenyan, whole or at the end of a CheckoutRequestID, plain or masked. */
function findPhoneNumbers(text: string): string[] {
  const plain = text.match(/(?<!\d)(?:\+?254[17]\d{8}|0[17]\d{8})(?!\d)/g) ?? []
  const inCheckoutIds = [...text.matchAll(/ws_CO_\d*?(\d{9})(?!\d)/g)].map(([, tail]) => `254${tail}`)
  const masked = text.match(/\+?\d*[ ]?[*xX•]{3,}[ ]?\d*/g) ?? []
  return [...plain, ...inCheckoutIds, ...masked.filter(form => /\d/.test(form))]
}

/** Year, month, day, then seven letters or digits: UHH… is 17 August 2026. */
const receiptShape = /^[A-Z][A-L][1-9A-V][A-Z0-9]{7}$/
const placeholderShape = /^(?:[A-Z0-9]{3}0{7}|0+)$/
const receiptNames = new Set([
  'MpesaReceiptNumber',
  'TransID',
  'TransactionID',
  'transactionId',
  'TransactionReceipt',
  'OriginalTransactionID',
  'ReceiptNo',
])

/** Every receipt in a parsed body, whether it is a member or a {Name, Value} or {Key, Value} pair. */
function findReceipts(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(findReceipts)
  if (typeof value !== 'object' || value === null) return []
  const members = new Map<string, unknown>(Object.entries(value))
  const name = members.get('Name') ?? members.get('name') ?? members.get('Key')
  const pairValue = members.get('Value') ?? members.get('value')
  const own = typeof name === 'string' && receiptNames.has(name) ? [pairValue] : []
  const direct = [...members].filter(([key]) => receiptNames.has(key)).map(([, member]) => member)
  return [
    ...[...own, ...direct].filter(receipt => typeof receipt === 'string'),
    ...[...members.values()].flatMap(findReceipts),
  ]
}

describe('the README of the fixtures', () => {
  it('has a row for every file, and a file for every row', () => {
    expect([...descriptions.keys()].sort()).toEqual(files)
  })

  it('says for each what it is, from where, and how sure we are', () => {
    for (const [file, { what, source, confidence }] of descriptions) {
      expect(what, file).not.toBe('')
      expect(source, file).not.toBe('')
      expect(confidence, file).toMatch(/^(?:documented|observed|unverified)\b/)
    }
  })
})

describe('the fixtures', () => {
  const bodies = files.filter(file => file.endsWith('.json')).map(file => ({ file, text: readText(file) }))

  it('are JSON where they are called so, and only there', () => {
    for (const { file, text } of bodies) expect(() => JSON.parse(text), file).not.toThrow()
    for (const file of files.filter(name => !name.endsWith('.json')))
      expect(() => JSON.parse(readText(file)), file).toThrow()
    expect(readText('errors/empty-400.txt')).toBe('')
  })

  it('keep literals that a formatter would shorten', () => {
    for (const literal of ['1', '1.0', '1.00', '10500.00']) {
      expect(readText(`stk-callback/amount-${literal}.json`)).toContain(`"Value": ${literal}\n`)
    }
    expect(readText('stk-callback/amount-string-500.00.json')).toContain('"Value": "500.00"')
  })

  it('name nobody: the only phone number is the sandbox customer', () => {
    for (const file of [...files, 'README.md']) {
      for (const number of findPhoneNumbers(readText(file))) {
        expect([sandboxNumber, ...maskedNumbers], `${file}: ${number}`).toContain(number.trim())
      }
    }
  })

  it('hold receipts of the right shape, or placeholders that the README declares', () => {
    for (const { file, text } of bodies) {
      for (const receipt of findReceipts(JSON.parse(text))) {
        const isPlaceholder = placeholderShape.test(receipt)
        expect(isPlaceholder || receiptShape.test(receipt), `${file}: ${receipt}`).toBe(true)
        if (isPlaceholder) expect(descriptions.get(file)?.what, file).toContain('placeholder')
      }
    }
  })

  it('hold only codes that the catalogue knows', () => {
    const apiOf: Readonly<Record<string, CatalogueApi>> = {
      'stk-callback': 'stk-callback',
      'stk-query': 'stk-query',
      errors: 'stk-push',
    }
    for (const { file, text } of bodies) {
      const api = apiOf[file.split('/')[0] ?? '']
      const code = text.match(/"(?:ResultCode|errorCode|errorcode)": "?([\w.]+)"?/)?.[1]
      if (api === undefined || code === undefined || file.startsWith('errors/bill-manager')) continue
      const message = text.match(/"errorMessage": "([^"]*)"/)?.[1] ?? ''
      // A wildcard row would hide a wrong code.
      expect(lookUpCode(api, code, message)?.code, `${file}: ${code}`).toBe(code)
    }
  })
})

describe('the detectors of this file', () => {
  // Put together here, so that the numbers of these examples stand nowhere as such.
  const other = ['7', '12', '345', '678'].join('')

  it.each([
    ['plain', `"PhoneNumber": 254${other}`],
    ['with a plus', `+254${other}`],
    ['local', `0${other}`],
    ['in the newer range', `254110${other.slice(3)}`],
    ['at the end of a CheckoutRequestID', `ws_CO_17082026101502337${other}`],
    ['masked', `254712***678`],
  ])('see a number %s', (_, text) => {
    const found = findPhoneNumbers(text)
    expect(found).not.toEqual([])
    expect([sandboxNumber, ...maskedNumbers]).not.toContain(found[0])
  })

  it('leave dates, ids and amounts alone', () => {
    expect(
      findPhoneNumbers('20260817101513 AG_20260817_2010c4e1b7a95f03d862 5998-46a7-a4aa-5a37a83f21ad3833 10500.00'),
    ).toEqual([])
  })

  it('see receipts in members and in pairs', () => {
    const body = {
      TransactionID: 'UHH0AB12CD',
      Item: [
        { Name: 'MpesaReceiptNumber', Value: 'bad' },
        { Key: 'ReceiptNo', Value: 'x' },
      ],
    }
    expect(findReceipts(body).sort()).toEqual(['UHH0AB12CD', 'bad', 'x'])
  })
})
