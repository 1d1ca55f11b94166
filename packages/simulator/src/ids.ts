import { type Clock, formatCheckoutStamp, nairobiDate } from './nairobi-time.ts'
import { alphabets, type SeededRandom } from './seeded-random.ts'

/** Makes every identifier that Safaricom would make. Shapes: [observed] in sandbox logs and [documented] in portal samples. */
export interface IdMint {
  merchantRequestId(): string
  /** `ws_CO_` + ddMMyyyyHHmmss (Nairobi) + 3 digits + the last nine digits of the MSISDN: personal data. */
  checkoutRequestId(msisdn: string): string
  /** Ten characters: year, month and day letters, then seven. Never repeats within one simulator. */
  receipt(epochMs: number): string
  /** The `requestId` of a refused call. */
  requestId(): string
  /** 28 characters. */
  accessToken(): string
  /** As printed in a firewall page. */
  incidentId(): string
}

const base36 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const receiptTails = 36 ** 7

/** Position 1 of a receipt: A for 2006, so N=2019, S=2024, U=2026. [observed] */
function receiptPrefix(epochMs: number): string {
  const { year, month, day } = nairobiDate(epochMs)
  const letter = (index: number) => String.fromCharCode(65 + (index % 26))
  return letter(year - 2006) + letter(month - 1) + (day < 10 ? String(day) : letter(day - 10))
}

function toBase36(value: number, length: number): string {
  let text = ''
  for (let rest = value; text.length < length; rest = Math.floor(rest / 36)) text = base36.charAt(rest % 36) + text
  return text
}

export function createIdMint(random: SeededRandom, now: Clock): IdMint {
  const ids = random.fork('ids')
  const receipts = random.fork('receipts')
  const tokens = random.fork('tokens')
  // Walking the ring of all tails by a step that shares no factor with its size visits each tail once: unique receipts
  // without remembering the old ones.
  let tail = receipts.integer(1, receiptTails - 1)
  const tailStep = receipts.integer(1e9, 6e9) * 6 + 1
  let checkoutSerial = ids.integer(0, 999)
  let lastCheckoutSecond = 0
  let usedInSecond = 0

  const hexId = (last: string) =>
    `${ids.text(4, alphabets.hex)}-${ids.text(4, alphabets.hex)}-${ids.text(4, alphabets.hex)}-${last}`

  const requestId = () => hexId(ids.text(12, alphabets.hex) + ids.text(4, alphabets.digits))

  return {
    requestId,
    merchantRequestId: () =>
      ids.pick(['old', 'new']) === 'old'
        ? `${ids.integer(1_000, 99_999)}-${ids.integer(10_000_000, 99_999_999)}-${ids.integer(1, 3)}`
        : requestId(),
    checkoutRequestId(msisdn) {
      // A node's clock may run ahead of ours ([observed] up to 116 s), so when the thousand serials of a second are
      // used up the id borrows the next second rather than repeat.
      const second = Math.max(Math.floor(now() / 1000), lastCheckoutSecond)
      usedInSecond = second === lastCheckoutSecond ? usedInSecond + 1 : 1
      lastCheckoutSecond = second
      if (usedInSecond > 1000) {
        lastCheckoutSecond++
        usedInSecond = 1
      }
      checkoutSerial = (checkoutSerial + 387) % 1000
      const serial = String(checkoutSerial).padStart(3, '0')
      return `ws_CO_${formatCheckoutStamp(lastCheckoutSecond * 1000)}${serial}${msisdn.slice(-9)}`
    },
    receipt(epochMs) {
      // A tail of zeros marks a placeholder ("OAK0000000"), never a real receipt: skip it.
      do tail = (tail + tailStep) % receiptTails
      while (tail === 0)
      return receiptPrefix(epochMs) + toBase36(tail, 7)
    },
    accessToken: () => tokens.text(28, alphabets.alphanumeric),
    incidentId: () => `${ids.integer(1e14, 9e14)}-${ids.text(18, alphabets.digits)}`,
  }
}
