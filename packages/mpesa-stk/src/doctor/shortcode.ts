import { darajaHosts } from '../core/config.ts'
import type { Check } from './check.ts'
import { type Finding, type FindingText, findingsOf } from './finding.ts'
import { isDarajaHere, type LibrarySettings, notUsed, readLibrarySettings } from './library-settings.ts'

const texts = {
  'shortcode-malformed': {
    level: 'error',
    what: 'MPESA_SHORTCODE is not set to 5 to 7 digits',
    why: 'the library refuses to start, or Daraja every push',
    mend: 'set MPESA_SHORTCODE to the paybill, or for a till to the store (head office) number of the go-live letter',
  },
  'transaction-type-unknown': {
    level: 'error',
    what: 'MPESA_TRANSACTION_TYPE is neither CustomerPayBillOnline nor CustomerBuyGoodsOnline',
    why: 'the library refuses to start, or Daraja every push',
    mend: 'set MPESA_TRANSACTION_TYPE to CustomerPayBillOnline for a paybill (or leave it out), to CustomerBuyGoodsOnline for a till',
  },
  'paybill-pays-another': {
    level: 'error',
    what: 'MPESA_PARTY_B is another number than MPESA_SHORTCODE, and the transaction type is of a paybill',
    why: 'Daraja takes such a push and the callback fails it with 2028 or SFC_IC0003, after the customer typed the PIN',
    mend: 'leave MPESA_PARTY_B out; for a till set MPESA_TRANSACTION_TYPE=CustomerBuyGoodsOnline',
  },
  'till-without-number': {
    level: 'warning',
    what: 'the transaction type is of a till, and MPESA_PARTY_B names none beside MPESA_SHORTCODE',
    why: 'a till’s shortcode is its store number: paid to that, the push fails in the callback with 2028 or SFC_IC0003',
    mend: 'set MPESA_SHORTCODE to the store (head office) number and MPESA_PARTY_B to the till number',
  },
  'sandbox-shortcode': {
    level: 'error',
    what: 'MPESA_SHORTCODE is the sandbox’s 174379, and MPESA_ENVIRONMENT is production',
    why: 'production does not know it: every push is refused',
    mend: 'set MPESA_SHORTCODE and MPESA_PASSKEY to those of your go-live letter',
  },
  'other-daraja': {
    level: 'error',
    what: 'MPESA_ENVIRONMENT is production, and MPESA_BASE_URL leads to {where}',
    why: 'customers are not prompted, or payments are settled that nobody made',
    mend: 'leave MPESA_BASE_URL out in production',
  },
} as const satisfies Record<string, FindingText>

const find = findingsOf('shortcode', texts)

const types = ['CustomerPayBillOnline', 'CustomerBuyGoodsOnline']
const sandboxShortCode = '174379'

/** Whether shortcode, till, transaction type and environment are of one account. */
export const shortcode: Check = {
  name: 'shortcode',
  about: 'shortcode, till, transaction type and environment',
  texts,
  async run(surroundings) {
    const library = readLibrarySettings(surroundings)
    return library === null ? { skipped: notUsed } : judgeShortcode(library)
  },
}

function judgeShortcode(library: LibrarySettings): Finding[] {
  const { shortCode, partyB, darajaEnvironment } = library
  const type = library.transactionType ?? 'CustomerPayBillOnline'
  const paysItself = partyB === null || partyB === shortCode
  const isProduction = darajaEnvironment === 'production'
  const elsewhere = isProduction ? otherDaraja(library) : null
  return [
    ...(/^\d{5,7}$/.test(shortCode ?? '') ? [] : [find('shortcode-malformed')]),
    ...(types.includes(type) ? [] : [find('transaction-type-unknown')]),
    ...(type === 'CustomerPayBillOnline' && !paysItself ? [find('paybill-pays-another')] : []),
    ...(type === 'CustomerBuyGoodsOnline' && paysItself ? [find('till-without-number')] : []),
    ...(isProduction && shortCode === sandboxShortCode ? [find('sandbox-shortcode')] : []),
    ...(elsewhere === null ? [] : [find('other-daraja', { where: elsewhere })]),
  ]
}

/** A proxy of one's own is nobody's mistake; the sandbox and a simulator are. */
function otherDaraja(library: LibrarySettings): string | null {
  if (isDarajaHere(library)) return 'this machine'
  return library.baseUrl?.startsWith(darajaHosts.sandbox) === true ? 'the sandbox' : null
}
