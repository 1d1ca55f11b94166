/** Reads the current instant in epoch milliseconds. Everything that stamps a date asks one of these, never `Date.now`. */
export type Clock = () => number

// Nairobi keeps UTC+3 all year, so a fixed shift is exact and needs no time zone data.
const nairobiOffsetMs = 3 * 60 * 60 * 1000

const two = (value: number): string => String(value).padStart(2, '0')

function nairobiParts(epochMs: number) {
  const shifted = new Date(epochMs + nairobiOffsetMs)
  return {
    year: shifted.getUTCFullYear(),
    month: shifted.getUTCMonth() + 1,
    day: shifted.getUTCDate(),
    time: two(shifted.getUTCHours()) + two(shifted.getUTCMinutes()) + two(shifted.getUTCSeconds()),
  }
}

/** `YYYYMMDDHHmmss` in Nairobi: the shape of `Timestamp` and of a callback's `TransactionDate`. */
export function formatTimestamp(epochMs: number): string {
  const { year, month, day, time } = nairobiParts(epochMs)
  return `${year}${two(month)}${two(day)}${time}`
}

/** `ddMMyyyyHHmmss` in Nairobi: the clock inside a CheckoutRequestID. */
export function formatCheckoutStamp(epochMs: number): string {
  const { year, month, day, time } = nairobiParts(epochMs)
  return `${two(day)}${two(month)}${year}${time}`
}

/** Year, month (1-12) and day of the month in Nairobi, as a receipt encodes them. */
export function nairobiDate(epochMs: number): { year: number; month: number; day: number } {
  const { year, month, day } = nairobiParts(epochMs)
  return { year, month, day }
}
