import type { TrailKey } from '../ports.ts'
import { normaliseMsisdn } from './msisdn.ts'
import { readReceipt } from './receipt.ts'

type Reader = (text: string) => TrailKey | null

/** What a text that somebody has of a payment may be, the surest first. A reference may look like any of them. */
const readers: readonly Reader[] = [
  text => (/^ws_CO_/i.test(text) ? { checkoutRequestId: text } : null),
  text => (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text) ? { paymentId: text.toLowerCase() } : null),
  text => either(normaliseMsisdn(text), phoneNumber => ({ phoneNumber })),
  text => either(readReceipt(text), receipt => ({ receipt })),
  text => (/^[0-9a-f]+(?:-[0-9a-f]+)+$/i.test(text) ? { merchantRequestId: text } : null),
  text => ({ accountReference: text }),
  text => ({ checkoutRequestId: text }),
]

/** The keys that a text may be: the first that finds a payment is the right one. */
export function recogniseKeys(text: string): readonly TrailKey[] {
  return readers.flatMap(read => read(text.trim()) ?? [])
}

function either(value: string | null, toKey: (value: string) => TrailKey): TrailKey | null {
  return value === null ? null : toKey(value)
}
