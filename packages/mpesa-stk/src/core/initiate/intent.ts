import type { ResolvedConfig } from '../config.ts'
import { MpesaStkError } from '../errors.ts'
import { readText } from '../explain/read-answer.ts'
import { isPayableAmount } from '../payment/amount.ts'
import { normaliseMsisdn } from '../payment/msisdn.ts'
import type { Intent } from './initiation.ts'

/** What a merchant asks for. */
export type PaymentRequest = {
  /** The customer's Kenyan mobile number in any written form: `0712 345 678`, `+254110345678`, `254 712-345-678`. */
  readonly phoneNumber: string
  /** Whole Kenya shillings, 1 to 250,000 unless the configuration says otherwise. */
  readonly amount: number
  /**
   * Shown in the prompt and on the statement: 1 to 12 printable ASCII characters. The sandbox accepts longer ones and
   * production does not [observed], so the limit is held here.
   */
  readonly accountReference: string
  /**
   * Stored whole; Daraja gets its first 13 characters, which is all it takes [documented]. Default: `Payment`, because
   * Daraja refuses a push without a description although it documents it as optional. [observed]
   */
  readonly description?: string
  /**
   * One key per intent to be paid, e.g. the order number. The same key never prompts twice, whatever crashes or is
   * retried, unless Daraja proved that it refused. Without a key every call is a new payment.
   */
  readonly idempotencyKey?: string
}

/** Control characters and half surrogates: databases refuse or fold them, and two keys would become one. */
const unstorable = /[\p{Cc}\p{Cs}]/u
const printableAscii = /^[\x20-\x7e]+$/

/**
 * Checks a request and makes it the intent to be stored.
 *
 * @throws MpesaStkError `MPESA_STK_REQUEST_INVALID`, `MPESA_STK_PHONE_INVALID`, `MPESA_STK_AMOUNT_INVALID`, `MPESA_STK_ACCOUNT_REFERENCE_INVALID`,
 * `MPESA_STK_DESCRIPTION_INVALID` or `MPESA_STK_IDEMPOTENCY_KEY_INVALID`. No message repeats what was typed.
 */
export function createIntent(request: PaymentRequest, config: ResolvedConfig, paymentId: string, at: Date): Intent {
  checkFields(request)
  const phoneNumber = normaliseMsisdn(request.phoneNumber)
  if (phoneNumber === null) {
    throw new MpesaStkError(
      'MPESA_STK_PHONE_INVALID',
      'phoneNumber is not a Kenyan mobile number; ask the customer again, e.g. 0712 345 678',
    )
  }
  const { min, max } = config.amountLimits
  if (!isPayableAmount(request.amount, config.amountLimits)) {
    throw new MpesaStkError(
      'MPESA_STK_AMOUNT_INVALID',
      `amount must be a whole number of shillings from ${min} to ${max}`,
    )
  }
  const accountReference = typeof request.accountReference === 'string' ? request.accountReference.trim() : ''
  if (!printableAscii.test(accountReference) || accountReference.length > 12) {
    throw new MpesaStkError(
      'MPESA_STK_ACCOUNT_REFERENCE_INVALID',
      'accountReference must be 1 to 12 printable ASCII characters, e.g. an order number',
    )
  }
  const description: unknown = request.description ?? 'Payment'
  if (typeof description !== 'string') {
    throw new MpesaStkError('MPESA_STK_DESCRIPTION_INVALID', 'description must be text')
  }
  const idempotencyKey: unknown = request.idempotencyKey ?? null
  if (idempotencyKey !== null && !isIdempotencyKey(idempotencyKey)) {
    throw new MpesaStkError(
      'MPESA_STK_IDEMPOTENCY_KEY_INVALID',
      'idempotencyKey must be 1 to 255 characters without control characters; leave it out only if every call is meant to prompt anew',
    )
  }
  return {
    paymentId,
    idempotencyKey,
    phoneNumber,
    amount: request.amount,
    accountReference,
    description: description.replace(new RegExp(unstorable, 'gu'), ' ').slice(0, 1024),
    shortCode: config.shortCode,
    transactionType: config.transactionType,
    partyB: config.partyB,
    reservedAt: at,
  }
}

const knownFields = {
  phoneNumber: true,
  amount: true,
  accountReference: true,
  description: true,
  idempotencyKey: true,
} as const satisfies Record<keyof PaymentRequest, true>
const fields: readonly string[] = Object.keys(knownFields)

/** A key that is misspelt, or undefined by mistake, would let every retry prompt anew, and nobody would hear of it. */
function checkFields(request: PaymentRequest): void {
  if (typeof request !== 'object' || request === null) {
    throw new MpesaStkError(
      'MPESA_STK_REQUEST_INVALID',
      'initiatePayment needs phoneNumber, amount and accountReference',
    )
  }
  const unknown = Object.keys(request).filter(name => !fields.includes(name))
  if (unknown.length > 0) {
    throw new MpesaStkError(
      'MPESA_STK_REQUEST_INVALID',
      `unknown ${unknown.length === 1 ? 'field' : 'fields'} ${unknown.map(name => readText(name)).join(', ')}; there are ${fields.join(', ')}`,
    )
  }
  if ('idempotencyKey' in request && request.idempotencyKey === undefined) {
    throw new MpesaStkError(
      'MPESA_STK_IDEMPOTENCY_KEY_INVALID',
      'idempotencyKey is undefined; leave it out only if every call is meant to prompt anew',
    )
  }
}

function isIdempotencyKey(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '' && value.length <= 255 && !unstorable.test(value)
}

/** What makes two intents different payments. The description is left out: it may hold a date or a basket. */
const identity = ['phoneNumber', 'amount', 'accountReference', 'shortCode', 'partyB', 'transactionType'] as const

/** The names of the fields in which two intents of one idempotency key differ. Empty: they are the same payment. */
export function differences(stored: Intent, asked: Intent): readonly string[] {
  // A payment of older code was adopted without its shortcode and type, and its number may be in any written form.
  const isAdopted = stored.shortCode === ''
  const names = isAdopted ? identity.slice(0, 3) : identity
  const known = isAdopted
    ? { ...stored, phoneNumber: normaliseMsisdn(stored.phoneNumber) ?? stored.phoneNumber }
    : stored
  return names.filter(name => known[name] !== asked[name])
}

/**
 * A description as Daraja takes it: printable ASCII without accents, at most 13 characters, never empty.
 * The sandbox accepts longer ones; production may not. [observed]
 */
export function toTransactionDesc(description: string): string {
  const ascii = description
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\x20-\x7e]+/g, ' ')
  return ascii.trim().slice(0, 13).trim() || 'Payment'
}
