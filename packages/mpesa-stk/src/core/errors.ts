import { maskPersonalData } from './payment/msisdn.ts'

/**
 * Every error code of the package with what it means and what to do. Codes never change their meaning and are never
 * reused; `docs/errors.md` is proven complete against this table by a test.
 */
export const errorCodes = {
  MPESA_STK_CONFIG_INVALID:
    'A configuration field is missing or unusable. The message names the field; mend it and start again.',
  MPESA_STK_REQUEST_INVALID:
    'A request has a field that there is not, or lacks the one that it needs. The message names it; look for a spelling mistake.',
  MPESA_STK_PHONE_INVALID:
    'The phone number is not a Kenyan mobile number. Ask the customer for it again, e.g. 0712 345 678 or +254 110 345 678.',
  MPESA_STK_AMOUNT_INVALID: 'The amount is not a whole number of shillings within the configured limits.',
  MPESA_STK_ACCOUNT_REFERENCE_INVALID:
    'The account reference is empty, longer than 12 characters, or holds characters that a handset cannot show.',
  MPESA_STK_DESCRIPTION_INVALID: 'The description is not text.',
  MPESA_STK_IDEMPOTENCY_KEY_INVALID:
    'The idempotency key is empty, longer than 255 characters, or holds a control character.',
  MPESA_STK_IDEMPOTENCY_KEY_REUSED:
    'The idempotency key was used before with other parameters. Use one key per intent to be paid: a new intent needs a new key.',
  MPESA_STK_PUSH_REFUSED:
    'Daraja proved that it did not queue the push: nobody was prompted. Read `explanation`; the same key may be used again.',
  MPESA_STK_PAYMENT_NOT_FOUND:
    'There is no payment with this id in the store. Look at the id, and at which store you use.',
  MPESA_STK_RESOLUTION_INVALID:
    'A resolution does not make sense: a field is missing or unusable, or the payment cannot be resolved that way. The message says which.',
  MPESA_STK_RANGE_INVALID: 'A range of time is not two dates, the first before the second.',
  MPESA_STK_CREDENTIALS_MISSING:
    'A credential provider found no credentials: a variable is not set, or a file cannot be read. The message names it.',
  MPESA_STK_SQLITE_DRIVER_MISSING:
    'No SQLite driver was found. Use Node 24 or later, or install the optional dependency `libsql`.',
  MPESA_STK_SQLITE_IN_USE:
    'Another process has the SQLite file open. One process owns the file: stop the other, or use PostgreSQL to share a store.',
  MPESA_STK_STORE_NOT_MIGRATED: 'The store has no tables yet. Call `await store.migrate()` once at every start.',
  MPESA_STK_SCHEMA_NEWER:
    'The store was written by a newer release of mpesa-stk. Run that release or a later one; this one would damage it.',
  MPESA_STK_TARGET_REFUSED:
    'The relay does not deliver to this URL: it must be https on a public address. For development, RELAY_ALLOW_PRIVATE_TARGETS=1.',
  MPESA_STK_APP_INVALID: 'A field of a relay app is unusable. The message names it.',
  MPESA_STK_RELAY_KEY_WRONG:
    'The secrets of the relay’s apps were encrypted with another key. Start with the RELAY_ENCRYPTION_KEY that wrote the store.',
  MPESA_STK_RELAY_UNAUTHORISED:
    'The route is for the operator, or for who has the app’s signing secret. Send `Authorization: Bearer <secret>`.',
  MPESA_STK_RELAY_NOT_FOUND: 'The relay has no such app, event or route. /openapi.json lists the routes.',
  MPESA_STK_RELAY_BODY_REMOVED:
    'The event was delivered so long ago that its body has been removed: it cannot be replayed. RELAY_KEEP_BODIES_DAYS says how long bodies are kept.',
  MPESA_STK_RELAY_REQUEST_INVALID: 'A request to the relay is not as it should be. The message names the field.',
  MPESA_STK_RELAY_NOT_RELEASED:
    'A body stays in the quarantine: it is still nobody’s event, or its end was not kept. The message says why.',
  MPESA_STK_RELAY_BODY_CONSUMED:
    'A body parser before the relay left nothing to read. Mount the relay before it, or keep the bytes as `req.rawBody`.',
  MPESA_STK_RELAY_FULL:
    'Neither the store nor the local disk took a callback, and it was refused with 503. Make room on the disk and look at the store.',
  MPESA_STK_RELAY_UNAVAILABLE: 'The relay’s store does not answer. Try again in a moment.',
  MPESA_STK_RELAY_OVER_QUOTA:
    'The app took more events today than its quota. They are stored and delivered; its log is read again tomorrow (Nairobi), or when the operator raises `dailyQuota`.',
  MPESA_STK_RELAY_STREAM_REFUSED:
    'Who asked may not read this stream, or not from a page of this origin. `reason` in the answer says which; docs/streams.md lists them.',
  MPESA_STK_RELAY_TOO_MANY:
    'Too many connections to the relay’s streams from this address, of this app or with this token. Come again later.',
  MPESA_STK_RELAY_UNREACHABLE:
    'No relay answers at the address that the command line or `connectRelay` has. Start it, or mend the address (--relay, RELAY_URL, `url`); a command may also run where its data is.',
  MPESA_STK_STORE_UNREACHABLE:
    'The command line cannot read the store of payments. Look at DATABASE_URL, or at the file; `mpesa-stk doctor` tells what is wrong.',
  MPESA_STK_HOOK_UNREACHABLE:
    'Nobody answers at the address that a callback was to be posted to. Start what listens there, or mend --to.',
  MPESA_STK_CURSOR_IN_USE:
    'Another `mpesa-stk listen` keeps its place in this cursor file. Stop it, or name another file with --cursor-file.',
  MPESA_STK_CLI_FAILED:
    'A command failed for a reason that is not ours: a file that cannot be written, a disk that is full. The message is that of the system.',
  MPESA_STK_CLI_USAGE:
    'A command line cannot be understood. The message says why; `--help` behind the command shows how it goes.',
  MPESA_STK_STORE_CONTENDED:
    'A payment changed under every one of our attempts to take a step, which was not taken. Try it again.',
} as const

/** One of the stable codes in {@link errorCodes}. */
export type MpesaStkErrorCode = keyof typeof errorCodes

/**
 * An unexpected outcome. `code` is stable and made for programs; `message` says what to do and never holds a phone
 * number or a secret; `cause` keeps the error behind it, if there was one.
 */
export class MpesaStkError extends Error {
  override readonly name: string = 'MpesaStkError'
  readonly code: MpesaStkErrorCode

  constructor(code: MpesaStkErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/**
 * An error of others as we may log it: its name, code and message, phone numbers masked. Errors of drivers and handlers
 * quote what they were given, so the error itself never reaches a log.
 */
export function describeError(error: unknown): Readonly<Record<string, string>> {
  if (!(error instanceof Error)) return { name: typeof error }
  const code: unknown = Reflect.get(error, 'code')
  const frame = error.stack?.split('\n').find(line => /^\s+at /.test(line))
  return {
    name: error.name,
    ...(typeof code === 'string' && { code }),
    message: maskPersonalData(error.message).slice(0, 300),
    ...(frame !== undefined && { at: frame.trim().slice(3) }),
  }
}
