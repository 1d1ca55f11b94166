/** Smallest and largest amount of one payment, in whole shillings. */
export type AmountLimits = { readonly min: number; readonly max: number }

/** As printed on the portal today; older texts say 70,000 or 150,000, so they are configuration. [documented] */
export const defaultAmountLimits: AmountLimits = { min: 1, max: 250_000 }

const decimalText = /^\d{1,12}(?:\.0{1,4})?$/

/**
 * Reads an amount in any form that Daraja writes (`500`, `500.0`, `"500.00"`) as whole shillings. Null for everything
 * else: a fraction, a sign, an exponent, a thousands separator.
 */
export function readAmount(value: unknown): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : null
  if (typeof value !== 'string' || !decimalText.test(value)) return null
  return Number(value)
}

/** True when `amount` is a whole number of shillings within `limits`, both ends included. */
export function isPayableAmount(amount: unknown, limits: AmountLimits): amount is number {
  return typeof amount === 'number' && Number.isSafeInteger(amount) && amount >= limits.min && amount <= limits.max
}
