import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CatalogueApi, CatalogueRow } from './catalogue/row.ts'
import { catalogue } from './catalogue.ts'
import { explain, lookUpCode } from './explain.ts'
import { customerOverrides, overrideKey, situationOf } from './wording.ts'

const rowCounts: Readonly<Record<CatalogueApi, number>> = {
  'stk-push': 2,
  'stk-callback': 41,
  'stk-query': 14,
  'c2b-register': 1,
  'c2b-validation': 7,
  'c2b-confirmation': 1,
  b2c: 31,
  b2b: 4,
  'transaction-status': 6,
  reversal: 10,
  'account-balance': 2,
  'async-result': 23,
  'b2b-express': 6,
  ratiba: 8,
  'pull-register': 2,
  'pull-query': 5,
  'dynamic-qr': 1,
  'bill-manager': 3,
  // 41 of Daraja and the gateway before it, 7 of our own.
  'http-error': 49,
}
const apis = Object.keys(rowCounts) as CatalogueApi[]

const categories = [
  'success',
  'in-progress',
  'insufficient-funds',
  'limit-exceeded',
  'customer-cancelled',
  'customer-unreachable',
  'wrong-pin',
  'expired',
  'duplicate-or-busy',
  'rate-limited',
  'auth',
  'configuration',
  'invalid-request',
  'system',
  'unknown',
]

/** Each row as its own API explains it, and as a push, a query and a callback do if they fall back on it. */
const explained = catalogue.flatMap(row => {
  const asking = new Set<CatalogueApi>([row.api])
  if (row.api === 'http-error') for (const api of ['stk-push', 'stk-query', 'b2c', 'reversal'] as const) asking.add(api)
  if (row.api === 'async-result') for (const api of ['stk-callback', 'stk-query', 'b2c'] as const) asking.add(api)
  if (row.api === 'stk-callback') asking.add('stk-query')
  return [...asking].map(api => ({
    name: `${overrideKey(row)} asked by ${api}`,
    api,
    row: lookUpCode(api, codeOf(row), row.match) ?? row,
    explanation: explain(api, codeOf(row), row.match),
  }))
})

/** The wildcard cannot be asked for by its own name. */
function codeOf(row: CatalogueRow): string {
  return row.code === '*' ? '77' : row.code
}

function withoutWarnings(text: string): string {
  return text.replaceAll(/(?:do )?not pay again/gi, '').replaceAll(/usilipe tena/gi, '')
}

const invitesToPayAgain = /try again|pay again|new payment request|new attempt|jaribu tena|lipa tena|ombi jipya/i

describe('the catalogue', () => {
  it('holds the expected number of rows for each API', () => {
    const counts = Object.fromEntries(apis.map(api => [api, catalogue.filter(row => row.api === api).length]))
    expect(counts).toEqual(rowCounts)
    expect(catalogue).toHaveLength(216)
  })

  it('has one row per api, code and match', () => {
    expect(new Set(catalogue.map(overrideKey)).size).toBe(catalogue.length)
  })

  it('is complete in every row', () => {
    for (const row of catalogue) {
      const name = overrideKey(row)
      expect(row.meaning, name).not.toBe('')
      expect(categories, name).toContain(row.category)
      expect(['customer', 'developer', 'merchant', 'safaricom'], name).toContain(row.fixableBy)
      expect(['documented', 'observed', 'unverified'], name).toContain(row.confidence)
      expect(row.sources.length, name).toBeGreaterThan(0)
      for (const source of row.sources) expect(source, name).not.toBe('')
      expect(row.code, name).toBe(row.code.trim())
      if (row.category === 'in-progress') expect(row.terminal, name).toBe(false)
    }
  })

  it('gives the row back to whoever asks for it with its own code and message', () => {
    for (const row of catalogue) expect(lookUpCode(row.api, codeOf(row), row.match)).toBe(row)
  })
})

describe('the codes that settle payments', () => {
  it.each([
    ['0', 'success', 'final', 'keep'],
    ['1', 'insufficient-funds', 'final', 'again'],
    ['2', 'limit-exceeded', 'final', 'keep'],
    ['3', 'limit-exceeded', 'final', 'keep'],
    ['4', 'limit-exceeded', 'final', 'keep'],
    ['8', 'limit-exceeded', 'final', 'keep'],
    ['17', 'duplicate-or-busy', 'final', 'again'],
    ['26', 'system', 'final', 'again'],
    ['1001', 'duplicate-or-busy', 'final', 'again'],
    ['1019', 'expired', 'final', 'again'],
    ['1025', 'system', 'final', 'again'],
    ['1032', 'customer-cancelled', 'final', 'again'],
    ['1036', 'customer-unreachable', 'final', 'again'],
    ['1037', 'customer-unreachable', 'final', 'again'],
    ['2001', 'wrong-pin', 'final', 'again'],
    ['2006', 'configuration', 'final', 'keep'],
    ['2028', 'configuration', 'final', 'keep'],
    ['4999', 'in-progress', 'open', 'keep'],
    ['8006', 'wrong-pin', 'final', 'keep'],
    ['9999', 'system', 'final', 'again'],
    ['SFC_IC0003', 'configuration', 'final', 'keep'],
    ['E3008', 'unknown', 'final', 'keep'],
  ])('read %s as %s, %s, %s, in a callback and in a query', (code, category, terminal, retryable) => {
    const expected = { category, terminal: terminal === 'final', retryable: retryable === 'again' }
    expect(explain('stk-callback', code)).toMatchObject(expected)
    expect(explain('stk-query', code)).toMatchObject(expected)
  })
})

describe('refusal', () => {
  const refusals = catalogue.filter(row => row.refusal)

  it('is claimed only where nothing can have been queued', () => {
    const outside4xx = refusals.filter(row => (row.httpStatus ?? 0) < 400 || (row.httpStatus ?? 0) >= 500)
    expect(outside4xx.map(overrideKey)).toEqual([
      'stk-push *',
      'http-error 500.001.1001 Merchant does not exist',
      'http-error 500.001.1001 Wrong credentials',
      'http-error 500.001.1001 Unable to lock subscriber',
      'http-error 500.003.02 Spike Arrest',
      'http-error 500.003.02 System is busy',
      'http-error 500.003.03',
      'http-error HTML_503_INCAPSULA',
      'http-error NOT_SENT',
      'http-error RESOLVED_REFUSED',
    ])
    for (const row of refusals) expect(row.terminal).toBe(true)
  })

  it('covers every 4xx answer but the one that only a query gets', () => {
    const missing = catalogue.filter(
      row => row.api === 'http-error' && row.httpStatus !== undefined && row.httpStatus < 500 && !row.refusal,
    )
    expect(missing.map(overrideKey)).toEqual(['http-error 400.002.02 Invalid CheckoutRequestID'])
  })

  it.each([
    ['500.001.1001', 'Something new'],
    ['500.001.1001', ''],
    ['500.002.1001', 'System internal error'],
    ['500.002.1001', 'a message nobody has seen'],
    ['500.003.1001', 'Internal Server Error'],
    ['500.003.02', 'a message nobody has seen'],
    ['500.009.9999', 'an errorCode nobody has seen'],
    ['00.002.1001', 'Service is under maintenance'],
    ['HTTP_500_EMPTY', ''],
    ['HTML_502', ''],
    ['503', ''],
    ['', ''],
    ['*', ''],
  ])('is never read into a push answered with %j %j', (code, message) => {
    expect(lookUpCode('stk-push', code, message)?.refusal).toBeUndefined()
  })

  it.each(['1', '17', '2001', 'SFC_IC0003', 'nobody-has-seen'])('takes ResponseCode %s in HTTP 200', code => {
    expect(lookUpCode('stk-push', code)?.refusal).toBe(true)
  })

  it('is not in an accepted push', () => {
    expect(lookUpCode('stk-push', '0')?.refusal).toBeUndefined()
    expect(explain('stk-push', '0').category).toBe('in-progress')
  })
})

describe('looking up', () => {
  it.each([
    ['Merchant does not exist', 'configuration', true],
    ['Wrong credentials', 'auth', true],
    ['[MpesaCB - ]Unable to lock subscriber, a transaction is already in process', 'duplicate-or-busy', true],
    ['The transaction is being processed', 'in-progress', false],
    ['Internal Server Error', 'unknown', false],
  ])('tells the five meanings of 500.001.1001 apart: %s', (message, category, terminal) => {
    expect(explain('stk-push', '500.001.1001', message)).toMatchObject({ category, terminal })
  })

  it('compares the message without regard to case', () => {
    expect(explain('stk-push', '500.001.1001', 'WRONG CREDENTIALS').category).toBe('auth')
  })

  it('prefers the row with a fragment, and takes the row without one otherwise', () => {
    expect(lookUpCode('stk-push', '400.002.02', 'Bad Request - Invalid Remarks')?.match).toBe('Invalid Remarks')
    expect(lookUpCode('stk-push', '400.002.02', 'Bad Request - Invalid Amount')?.match).toBeUndefined()
    expect(lookUpCode('stk-push', '400.002.02')?.match).toBeUndefined()
  })

  it('keeps the APIs apart where one number means different things', () => {
    expect(explain('stk-callback', '1')).toMatchObject({ category: 'insufficient-funds', fixableBy: 'customer' })
    expect(explain('b2c', '1')).toMatchObject({ category: 'insufficient-funds', fixableBy: 'merchant' })
    expect(explain('reversal', '1')).toMatchObject({ category: 'insufficient-funds', fixableBy: 'merchant' })
    expect(explain('b2c', '1').operator).toContain('Utility')
    expect(explain('stk-callback', '2001').category).toBe('wrong-pin')
    expect(explain('b2c', '2001').category).toBe('auth')
    expect(explain('stk-callback', '8006')).toMatchObject({ category: 'wrong-pin', fixableBy: 'customer' })
    expect(explain('reversal', '8006')).toMatchObject({ category: 'auth', fixableBy: 'merchant' })
    expect(explain('stk-callback', '17').category).toBe('duplicate-or-busy')
    expect(explain('b2c', '17')).toMatchObject({ category: 'system', terminal: false })
  })

  it('knows codes that are no numbers', () => {
    expect(explain('stk-callback', 'SFC_IC0003').category).toBe('configuration')
    expect(explain('stk-callback', 'E3008')).toMatchObject({ code: 'E3008', category: 'unknown', terminal: true })
    expect(explain('reversal', 'R000001').category).toBe('duplicate-or-busy')
  })

  it('takes a number for its digits, and trims', () => {
    expect(explain('stk-callback', 0)).toEqual(explain('stk-callback', '0'))
    expect(explain('stk-callback', ' 1032\n')).toEqual(explain('stk-callback', 1032))
  })

  it.each(['00', '0.0', '-0', '+0', '000', 'O', '0x0', 'false', 'null', ''])('does not take %j for success', code => {
    for (const api of ['stk-callback', 'stk-query', 'stk-push'] as const) {
      expect(explain(api, code).category).not.toBe('success')
    }
    expect(lookUpCode('stk-callback', code)).toBeNull()
  })

  it('falls back from a query to the callback, then to the Result envelope', () => {
    expect(lookUpCode('stk-query', 'E3008')?.api).toBe('stk-callback')
    expect(lookUpCode('stk-query', '100000002')?.api).toBe('async-result')
    expect(lookUpCode('stk-query', '4999')?.api).toBe('stk-query')
    expect(lookUpCode('stk-callback', '100000000')?.api).toBe('async-result')
    expect(lookUpCode('b2c', '18')?.api).toBe('async-result')
  })

  it('does not fall back the other way, or from one product to another', () => {
    expect(lookUpCode('stk-push', '1032')?.code).toBe('*')
    expect(lookUpCode('async-result', '1032')).toBeNull()
    expect(lookUpCode('b2c', '1032')).toBeNull()
    expect(lookUpCode('b2b', '8')).toBeNull()
    expect(lookUpCode('ratiba', '2001')).toBeNull()
  })

  it('finds HTTP errors from every API', () => {
    for (const api of apis) expect(lookUpCode(api, '404.001.03')?.api).toBe('http-error')
    expect(lookUpCode('pull-query', '401.001')?.api).toBe('pull-query')
  })

  it('never takes an HTTP error on a query for the end of the payment', () => {
    for (const row of catalogue) {
      if (row.api === 'http-error') expect(explain('stk-query', row.code, row.match).terminal).toBe(false)
    }
  })
})

describe('a code that nobody knows', () => {
  it('is unknown, and ends only a callback', () => {
    for (const api of apis) {
      if (api === 'stk-push') continue
      expect(lookUpCode(api, '7777777')).toBeNull()
      expect(explain(api, '7777777')).toMatchObject({
        code: '7777777',
        category: 'unknown',
        terminal: api === 'stk-callback',
        retryable: false,
        confidence: 'unverified',
        sources: [],
      })
    }
  })

  it('is admitted to the operator by name, and not shown to the customer', () => {
    const { operator, customer } = explain('stk-callback', 'ZZ_9')
    expect(operator).toMatch(/^We do not know code ZZ_9 /)
    expect(customer.en + customer.sw).not.toContain('ZZ_9')
  })

  it('is told from a code with several known meanings', () => {
    expect(explain('b2c', '500.002.1001', 'never seen').operator).toContain('several meanings')
  })

  it('does not carry a phone number or a message into the operator text', () => {
    const id = 'ws_CO_17082026101502337708374149'
    expect(explain('stk-query', id).operator).not.toContain('708374149')
    expect(explain('stk-query', '77', 'secret 254708374149').operator).not.toContain('254708374149')
  })

  it('never makes explain throw', () => {
    const anyCode = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.double(),
      fc.constantFrom('__proto__', 'constructor', 'toString', ...catalogue.map(row => row.code)),
    )
    const anyMessage = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(...catalogue.map(row => row.match ?? '')),
    )
    fc.assert(
      fc.property(fc.constantFrom(...apis), anyCode, anyMessage, (api, code, message) => {
        const explanation = explain(api, code, message)
        expect(explanation.code).toBe(String(code).trim())
        expect(categories).toContain(explanation.category)
        expect(explanation.customer.en).not.toBe('')
        expect(explanation.operator).not.toBe('')
        if (explanation.category === 'success') expect(lookUpCode(api, code, message)).not.toBeNull()
        if (explanation.category === 'success' && api.startsWith('stk-')) expect(explanation.code).toBe('0')
      }),
      { numRuns: 2000 },
    )
  })
})

describe('the texts', () => {
  it('are there in two languages and for the operator, without codes or numbers', () => {
    for (const { name, row, explanation } of explained) {
      const { en, sw } = explanation.customer
      expect(en, name).not.toBe(sw)
      for (const text of [en, sw]) {
        expect(text, name).toMatch(/^.{20,}[.]$/)
        // 100 and 200 are Safaricom's own customer-care numbers; no other digits help a customer.
        expect(text.replaceAll(/\b[12]00\b/g, ''), name).not.toMatch(/\d/)
        expect(text, name).not.toMatch(/[A-Z]+_[A-Z]+|ResultCode|HTTP|undefined/)
      }
      const meaning = row.confidence === 'unverified' ? `Reported without proof: ${row.meaning}` : row.meaning
      expect(explanation.operator.startsWith(`${meaning} `), name).toBe(true)
    }
  })

  it('do not invite to pay again where that is pointless or money may have moved', () => {
    for (const { name, row, explanation } of explained) {
      if (row.retryable && row.terminal && row.category !== 'in-progress') continue
      // A locked PIN is the exception: the customer unlocks it first, by telephone.
      if (row.code === '8006') continue
      expect(withoutWarnings(explanation.customer.en), name).not.toMatch(invitesToPayAgain)
      expect(withoutWarnings(explanation.customer.sw), name).not.toMatch(invitesToPayAgain)
    }
  })

  it('warn against paying again while a payment is in progress', () => {
    for (const { name, api, row, explanation } of explained) {
      if (row.category !== 'in-progress' || situationOf[api] !== 'payment') continue
      expect(explanation.customer.en, name).toMatch(/do not pay again/i)
      expect(explanation.customer.sw, name).toMatch(/usilipe tena/i)
    }
  })

  it('warn against paying again whenever the outcome of a push is open', () => {
    const open: readonly [string, string][] = [
      ['500.001.1001', 'never seen'],
      ['500.002.1001', 'System internal error'],
      ['500.003.1001', ''],
      ['00.002.1001', 'maintenance'],
      ['500.999.1', ''],
    ]
    for (const [code, message] of open) {
      expect(explain('stk-push', code, message).customer.en).toMatch(/do not pay again/i)
      expect(explain('stk-push', code, message).customer.sw).toMatch(/usilipe tena/i)
    }
  })

  it('say what a customer can do about the frequent failures', () => {
    expect(explain('stk-callback', 1).customer.en).toMatch(/add money/i)
    expect(explain('stk-callback', 17).customer.en).toMatch(/two minutes/i)
    expect(explain('stk-callback', 1001).customer.sw).toMatch(/dakika moja/i)
    expect(explain('stk-callback', 8006).customer.en).toMatch(/100 or 200/)
    expect(explain('stk-callback', 'SFC_IC0003').customer.en).toMatch(/tell the shop/i)
    expect(explain('stk-query', '1037').customer).toEqual(explain('stk-callback', 1037).customer)
    expect(explain('stk-query', '0').customer.en).toMatch(/do not pay again/i)
  })

  it('do not tell a customer that he paid because a status query worked', () => {
    expect(explain('transaction-status', 0).customer.en).toMatch(/checking/)
  })

  it('have no override that nothing can reach', () => {
    const keys = new Set(catalogue.map(overrideKey))
    for (const key of Object.keys(customerOverrides)) expect(keys).toContain(key)
  })
})

it('does not throw for an API that there is not, as plain JavaScript may name one', () => {
  expect(explain('stk' as CatalogueApi, 1)).toMatchObject({ category: 'unknown', terminal: false })
})
