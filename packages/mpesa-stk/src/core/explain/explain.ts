import type { CatalogueApi, CatalogueRow, CodeCategory, Confidence, FixableBy } from './catalogue/row.ts'
import { catalogue } from './catalogue.ts'
import {
  type CustomerText,
  customerOverrides,
  operatorAdvice,
  outcomeTexts,
  overrideKey,
  paymentTexts,
  queryFailedAdvice,
  queryFailedText,
  situationOf,
  tokenAdvice,
  unclearAdvice,
  whoActs,
} from './wording.ts'

export type { CatalogueApi, CatalogueRow, CodeCategory, Confidence, FixableBy } from './catalogue/row.ts'

export interface Explanation {
  /** The code that was asked about, as trimmed text. */
  readonly code: string
  readonly category: CodeCategory
  /**
   * Nothing more will come for the operation asked about. For `stk-query` that is the payment, so an HTTP error on a
   * query is never terminal, whatever it means for the request. Do not settle on this alone: `category` says how.
   */
  readonly terminal: boolean
  readonly retryable: boolean
  readonly fixableBy: FixableBy
  readonly customer: CustomerText
  readonly operator: string
  readonly confidence: Confidence
  readonly sources: readonly string[]
}

const rowsByCode = new Map<string, CatalogueRow[]>()
for (const row of catalogue) {
  const key = `${row.api} ${row.code}`
  const rows = rowsByCode.get(key)
  if (rows === undefined) rowsByCode.set(key, [row])
  else rows.push(row)
}

/** The operations whose answer comes in the shared Result envelope. */
const resultApis: ReadonlySet<CatalogueApi> = new Set([
  'b2c',
  'b2b',
  'transaction-status',
  'reversal',
  'account-balance',
])

/**
 * The APIs to look in, nearest first. A query repeats what the callback would have said, and both pass on codes of the
 * platform behind the Result envelope. Not the other way round: 1 is the customer's money here and the shop's in b2c.
 * The errorCodes of `http-error` are dotted or our own, so they cannot be mistaken for a ResultCode.
 */
function apisToSearch(api: CatalogueApi): readonly CatalogueApi[] {
  if (api === 'stk-query') return ['stk-query', 'stk-callback', 'async-result', 'http-error']
  if (api === 'stk-callback') return ['stk-callback', 'async-result', 'http-error']
  if (resultApis.has(api)) return [api, 'async-result', 'http-error']
  return [api, 'http-error']
}

function rowsFor(api: CatalogueApi, code: string): readonly CatalogueRow[] {
  return rowsByCode.get(`${api} ${code}`) ?? []
}

/** The row whose fragment is in the message (the longest, if several are), else the row that needs none. */
function selectByMessage(rows: readonly CatalogueRow[], message: string): CatalogueRow | null {
  const text = message.toLowerCase()
  let best: CatalogueRow | null = null
  for (const row of rows) {
    if (row.match !== undefined && !text.includes(row.match.toLowerCase())) continue
    if (best === null || (row.match?.length ?? 0) > (best.match?.length ?? 0)) best = row
  }
  return best
}

/**
 * The wildcard of stk-push means "a ResponseCode other than 0 inside HTTP 200: refused". An errorCode that we do not
 * know must not reach it, or an internal error would count as proof that nobody was prompted. So it takes neither a
 * dotted code, nor one of our HTTP_…/HTML_… codes, nor a bare HTTP status, nor nothing.
 */
function isResponseCode(code: string): boolean {
  return /^[A-Za-z0-9_-]{1,32}$/.test(code) && !/^(?:HTTP|HTML)_/i.test(code) && !/^[1-5]\d\d$/.test(code)
}

/**
 * The catalogue row for an answer, or null if we do not know it. Its `refusal` speaks of the call that got the answer,
 * so ask with `stk-push` for the answer to a push.
 */
export function lookUpCode(api: CatalogueApi, code: string | number, message = ''): CatalogueRow | null {
  const text = String(code).trim()
  if (text === '*') return null
  for (const candidate of apisToSearch(api)) {
    const row = selectByMessage(rowsFor(candidate, text), message)
    if (row !== null) return row
  }
  return isResponseCode(text) ? (rowsFor(api, '*')[0] ?? null) : null
}

/**
 * What an answer of Daraja means, who can act, and what to say. Never throws, and says so if the code is not known.
 *
 * An unknown code is terminal only in a callback: a callback is sent once and for all, and the payment ends FAILED with
 * the code kept. In an answer to a query, a push or a Result it is no evidence of an end.
 */
export function explain(api: CatalogueApi, code: string | number, message = ''): Explanation {
  const text = String(code).trim()
  const row = lookUpCode(api, text, message)
  if (row === null) return explainUnknown(api, text)
  return {
    code: text,
    category: row.category,
    terminal: row.terminal && !isFailedQuery(api, row),
    retryable: row.retryable,
    fixableBy: row.fixableBy,
    customer: customerText(api, row),
    operator: operatorText(api, row),
    confidence: row.confidence,
    sources: row.sources,
  }
}

function explainUnknown(api: CatalogueApi, code: string): Explanation {
  // Plain JavaScript may name an API that there is not.
  const situation = situationOf[api] ?? 'payment'
  return {
    code,
    category: 'unknown',
    terminal: api === 'stk-callback',
    retryable: false,
    fixableBy: 'safaricom',
    customer: situation === 'payment' ? paymentTexts.unknown : outcomeTexts[situation].unclear,
    operator: unknownOperatorText(api, code),
    confidence: 'unverified',
    sources: [],
  }
}

function unknownOperatorText(api: CatalogueApi, code: string): string {
  const severalMeanings = apisToSearch(api).some(candidate => rowsFor(candidate, code).length > 0)
  if (severalMeanings) {
    return `Code ${code} has several meanings, and we do not know the one that belongs to this message. ${unclearAdvice}`
  }
  // Someone may pass a CheckoutRequestID here by mistake; it ends with a phone number, and this text goes to logs.
  const name = /^[\w.-]{1,40}$/.test(code) && !/\d{10}/.test(code) ? `code ${code}` : 'this code'
  const advice =
    api === 'stk-callback'
      ? 'The payment ends as failed with the code kept: keep the raw callback, check the statement before the customer pays again, and ask Safaricom.'
      : unclearAdvice
  return `We do not know ${name} (${api}). ${advice}`
}

/** Whether the answer is an HTTP error on an STK query: the question failed, the payment is where it was. */
function isFailedQuery(api: CatalogueApi, row: CatalogueRow): boolean {
  return api === 'stk-query' && row.api === 'http-error'
}

/** Whether the answer leaves open what became of a creating call. */
function leavesOutcomeOpen(row: CatalogueRow): boolean {
  if (row.category === 'in-progress' || row.category === 'success') return false
  return !row.terminal || (row.api === 'http-error' && row.category === 'system' && row.refusal !== true)
}

function customerText(api: CatalogueApi, row: CatalogueRow): CustomerText {
  if (isFailedQuery(api, row)) return row.category === 'in-progress' ? paymentTexts['in-progress'] : queryFailedText
  const situation = situationOf[api]
  const override = situation === situationOf[row.api] ? overrideFor(row) : undefined
  if (override !== undefined) return override
  if (situation === 'payment') return leavesOutcomeOpen(row) ? paymentTexts.unknown : paymentTexts[row.category]
  const texts = outcomeTexts[situation]
  if (leavesOutcomeOpen(row) || row.category === 'in-progress') return texts.unclear
  if (row.category === 'success') return texts.done
  return row.fixableBy === 'customer' ? texts.recipientCanFix : texts.failed
}

function overrideFor(row: CatalogueRow): CustomerText | undefined {
  const own = customerOverrides[overrideKey(row)]
  if (own !== undefined || row.api !== 'stk-query') return own
  return customerOverrides[overrideKey({ ...row, api: 'stk-callback' })]
}

function operatorText(api: CatalogueApi, row: CatalogueRow): string {
  const parts = [row.confidence === 'unverified' ? `Reported without proof: ${row.meaning}` : row.meaning]
  if (row.note !== undefined) parts.push(row.note)
  if (row.advice !== undefined && !isFailedQuery(api, row)) return [...parts, row.advice].join(' ')
  if (row.category !== 'success' && row.category !== 'in-progress') parts.push(whoActs[row.fixableBy])
  parts.push(adviceFor(api, row))
  return parts.join(' ')
}

function adviceFor(api: CatalogueApi, row: CatalogueRow): string {
  if (row.category === 'auth' && row.retryable) return tokenAdvice
  if (isFailedQuery(api, row) && row.category !== 'in-progress') return queryFailedAdvice
  return leavesOutcomeOpen(row) ? unclearAdvice : operatorAdvice[row.category]
}
