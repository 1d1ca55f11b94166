/** One of Daraja's request ids, or null for what cannot be one. Opaque: its shape changed before. [observed] */
export function readRequestId(value: unknown): string | null {
  return typeof value === 'string' && /^[\x21-\x7e]{1,128}$/.test(value) && !isStandIn(value) ? value : null
}

/**
 * In the place of a CheckoutRequestID that nobody knows: of a push whose answer was lost, and which a statement or a
 * person resolved. The documented column must hold one; a callback that names the true one, and has more to say than was
 * known, replaces it.
 */
export function standInRequestId(paymentId: string): string {
  return `unknown:${paymentId}`
}

export function isStandIn(checkoutRequestId: string): boolean {
  return checkoutRequestId.startsWith('unknown:')
}
