const receiptShape = /^[A-Z0-9]{10}$/
const placeholder = /(?:^0+|0{7})$/

/**
 * An M-PESA receipt number, or null. Identifiers that end in seven zeros, or are all zeros, are placeholders of
 * requests that moved no money: never a receipt. [observed]
 */
export function readReceipt(value: unknown): string | null {
  if (typeof value !== 'string') return null
  const receipt = value.trim().toUpperCase()
  return receiptShape.test(receipt) && !placeholder.test(receipt) ? receipt : null
}
