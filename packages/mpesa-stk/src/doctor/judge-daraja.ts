import type { PushRefusal, QueryOutcome } from '../core/ports.ts'
import { type Finding, type FindingText, findingsOf } from './finding.ts'

export const accessTexts = {
  'credentials-incomplete': {
    level: 'error',
    what: 'not set: {variables}',
    why: 'without all three of key, secret and passkey no push can be signed, and nobody can pay',
    mend: 'set them where your host keeps secrets; key and secret are on the Daraja portal under My Apps, the passkey came with go-live',
  },
  'daraja-away': {
    level: 'error',
    what: 'Daraja cannot be reached ({code})',
    why: 'no push leaves this machine',
    mend: 'look at the machine’s way out (DNS, firewall, proxy) with `curl -sI https://api.safaricom.co.ke`, and at MPESA_BASE_URL',
  },
  firewall: {
    level: 'error',
    what: 'Safaricom’s firewall turns this machine’s address away ({code})',
    why: 'no push and no query gets through, whatever the credentials are',
    mend: 'have Safaricom unblock the address (apisupport@safaricom.co.ke), or call from another one',
  },
  'credentials-refused': {
    level: 'error',
    what: 'Daraja does not know this consumer key and secret ({code})',
    why: 'without an access token nothing can be asked of Daraja',
    mend: 'set MPESA_CONSUMER_KEY and MPESA_CONSUMER_SECRET to those of one app, and MPESA_ENVIRONMENT to the environment that the app is of',
  },
  'no-stk-product': {
    level: 'error',
    what: 'the app of these credentials lacks the product M-PESA Express ({code})',
    why: 'every push is refused',
    mend: 'add the product to the app on the Daraja portal; a token that is older than that may be refused for up to an hour more',
  },
  'passkey-wrong': {
    level: 'error',
    what: 'shortcode and passkey do not fit together ({code} {message})',
    why: 'every push is refused',
    mend: 'set MPESA_SHORTCODE and MPESA_PASSKEY to the pair of one go-live letter; for a till the shortcode is the store number',
  },
  'asked-too-often': {
    level: 'warning',
    what: 'Daraja gave a token, and then said that it is asked too often ({code})',
    why: 'whether this app may push is not proven, and queries of payments that wait are held up in the same way',
    mend: 'run `mpesa-stk doctor` again in a minute; if it stays, look at who else asks with this consumer key',
  },
  'access-unproven': {
    level: 'warning',
    what: 'Daraja gave a token, but answered a harmless query in a way that proves nothing ({code} {message})',
    why: 'whether a push would be taken is not known',
    mend: 'run `mpesa-stk doctor` again in a minute; `mpesa-stk explain` tells what the code means',
  },
} as const satisfies Record<string, FindingText>

type Name = keyof typeof accessTexts

const find = findingsOf('daraja-access', accessTexts)

export type DarajaFacts =
  /** The variables that are not set: then nothing was asked. */
  | { readonly missing: readonly string[]; readonly refusal?: undefined; readonly query?: undefined }
  | {
      readonly missing: readonly string[]
      /** Why there was no token. */
      readonly refusal: PushRefusal | null
      /** What was said of a CheckoutRequestID that there is not. */
      readonly query: QueryOutcome | null
    }

type Answer = { readonly code: string; readonly message: string; readonly httpStatus: number | null }

/** What an answer without a token means: the first that fits. */
const refusals: readonly (readonly [Name, (answer: Answer) => boolean])[] = [
  ['firewall', ({ code, message }) => /INCAPSULA|firewall/.test(`${code} ${message}`)],
  ['daraja-away', ({ httpStatus }) => httpStatus === null],
  ['credentials-refused', ({ httpStatus }) => httpStatus === 400 || httpStatus === 401],
  ['daraja-away', () => true],
]

/** And one to a query about a push that there is not. */
const answers: readonly (readonly [Name | 'proven', (answer: Answer) => boolean])[] = [
  // Only who has the product and signed rightly is told that the id is unknown.
  ['proven', ({ code, message }) => code === '400.002.02' && /CheckoutRequestID/i.test(message)],
  ['no-stk-product', ({ code }) => code === '401.003.01'],
  ['firewall', ({ code }) => code.endsWith('INCAPSULA')],
  ['passkey-wrong', ({ message }) => /wrong credentials|merchant does not exist/i.test(message)],
  ['daraja-away', ({ httpStatus }) => httpStatus === null],
  ['access-unproven', () => true],
]

export function judgeDaraja({ missing, refusal, query }: DarajaFacts): Finding[] {
  if (missing.length > 0) return [find('credentials-incomplete', { variables: missing.join(', ') })]
  if (refusal != null) return judgeAnswer(refusals, refusal)
  // Any word about the payment is given only to who may ask.
  if (query == null || query.outcome !== 'indeterminate') return []
  if (query.reason === 'throttled' && !query.code.endsWith('INCAPSULA')) {
    return [find('asked-too-often', { code: query.code })]
  }
  return judgeAnswer(answers, query)
}

function judgeAnswer(
  table: readonly (readonly [Name | 'proven', (answer: Answer) => boolean])[],
  answer: Answer,
): Finding[] {
  const [name] = table.find(([, fits]) => fits(answer)) ?? ['access-unproven' as const]
  return name === 'proven' ? [] : [find(name, { code: answer.code, message: answer.message })]
}
