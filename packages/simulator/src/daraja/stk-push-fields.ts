import { isIP } from 'node:net'
import type { SimulatorSettings } from '../options.ts'
import type { StkPush } from '../stk-push-request.ts'

type Fields = Readonly<Record<string, unknown>>

interface FieldRule {
  readonly field: string
  /** How the refusal calls it: "Bad Request - Invalid <name>". */
  readonly name: string
  /** What the sandbox lets through. */
  readonly sandbox: (value: string, fields: Fields) => boolean
  /** What the documentation demands on top. */
  readonly strict: (value: string, fields: Fields) => boolean
}

const always = () => true
const wholeShillings = (value: string) => /^\d+(\.0+)?$/.test(value) && Number(value) >= 1
const kenyanMsisdn = (value: string) => /^254[17]\d{8}$/.test(value)
const someMsisdn = (value: string) => /^\d{9,15}$/.test(value)
const someShortCode = (value: string) => /^\d{1,12}$/.test(value)
const transactionTypes = ['CustomerPayBillOnline', 'CustomerBuyGoodsOnline']

function realTimestamp(value: string): boolean {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(value)?.slice(1).map(Number)
  if (!parts) return false
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second))
  // A 31st of February rolls over; then the parts no longer agree.
  return (
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    minute < 60 &&
    second < 60
  )
}

/** In the order in which a refusal names the first wrong one. */
const rules: readonly FieldRule[] = [
  {
    field: 'BusinessShortCode',
    name: 'BusinessShortCode',
    sandbox: someShortCode,
    strict: value => /^\d{5,7}$/.test(value),
  },
  { field: 'Password', name: 'Password', sandbox: always, strict: always },
  { field: 'Timestamp', name: 'Timestamp', sandbox: value => /^\d{14}$/.test(value), strict: realTimestamp },
  {
    field: 'TransactionType',
    name: 'TransactionType',
    // [observed] A trailing space passes.
    sandbox: value => transactionTypes.includes(value.trim()),
    strict: value => transactionTypes.includes(value),
  },
  { field: 'Amount', name: 'Amount', sandbox: wholeShillings, strict: value => Number(value) <= 250_000 },
  { field: 'PartyA', name: 'PartyA', sandbox: someMsisdn, strict: kenyanMsisdn },
  { field: 'PartyB', name: 'PartyB', sandbox: someShortCode, strict: value => /^\d{5,7}$/.test(value) },
  { field: 'PhoneNumber', name: 'PhoneNumber', sandbox: someMsisdn, strict: kenyanMsisdn },
  { field: 'CallBackURL', name: 'CallBackURL', sandbox: isHttpUrl, strict: always },
  { field: 'AccountReference', name: 'AccountReference', sandbox: always, strict: value => value.length <= 12 },
  // [observed] Optional on paper, mandatory in fact, and refused under another name.
  { field: 'TransactionDesc', name: 'Remarks', sandbox: always, strict: value => value.length <= 13 },
]

/** Numbers and strings are equally welcome [observed]; anything else, and an empty text, is not a value. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}

export type FieldVerdict =
  | { readonly outcome: 'valid'; readonly push: StkPush; readonly password: string; readonly timestamp: string }
  /** `name` is what the refusal calls the field. */
  | { readonly outcome: 'invalid'; readonly name: string }

/** Checks a push as the sandbox or as the documentation does. Pure. */
export function checkPushFields(
  fields: Fields,
  settings: Pick<SimulatorSettings, 'mode' | 'strictUrls'>,
): FieldVerdict {
  for (const { field, name, sandbox, strict } of rules) {
    const value = textOf(fields[field])
    const valid =
      value !== undefined && sandbox(value, fields) && (settings.mode === 'sandbox' || strict(value, fields))
    if (!valid) return { outcome: 'invalid', name }
  }
  const text = (field: string) => textOf(fields[field]) ?? ''
  if (settings.strictUrls && !isPublicHttps(text('CallBackURL'))) return { outcome: 'invalid', name: 'CallBackURL' }
  return {
    outcome: 'valid',
    password: text('Password'),
    timestamp: text('Timestamp'),
    push: {
      shortCode: text('BusinessShortCode'),
      transactionType: text('TransactionType').trim(),
      amount: Number(text('Amount')),
      partyA: text('PartyA'),
      partyB: text('PartyB'),
      msisdn: text('PhoneNumber'),
      callbackUrl: text('CallBackURL'),
      accountReference: text('AccountReference'),
      transactionDesc: text('TransactionDesc'),
    },
  }
}

function isHttpUrl(value: string): boolean {
  return URL.canParse(value) && ['http:', 'https:'].includes(new URL(value).protocol)
}

const privateAddress = /^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2\d|3[01]))\./

/** What Daraja accepts: https and a name or address that the internet can reach. `localhost` is refused. [observed] */
function isPublicHttps(value: string): boolean {
  const { protocol, hostname } = new URL(value)
  const bare = hostname.replace(/^\[|\]$/g, '')
  if (protocol !== 'https:' || isIP(bare) === 6 || privateAddress.test(bare)) return false
  return bare.includes('.') && !bare.endsWith('.localhost') && !bare.endsWith('.local')
}
