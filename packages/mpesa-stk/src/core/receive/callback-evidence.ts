/**
 * What became of a callback:
 * - `applied`: it moved a payment.
 * - `repeat`: it said what was known already.
 * - `in-progress`: it said that Daraja is still working on it.
 * - `unconfirmed`: it waits until an STK query says the same (`confirmSuccess: 'query'`).
 * - `parked`: no payment has its ids yet; it is looked at again when one does.
 * - `contradiction`: it says something else than what stands; kept for a person, never applied.
 * - `refused`: its token is wrong or missing; never applied.
 * - `unrecognised`: not an STK callback that we understand; kept for a person.
 */
export const callbackDispositions = [
  'applied',
  'repeat',
  'in-progress',
  'unconfirmed',
  'parked',
  'contradiction',
  'refused',
  'unrecognised',
] as const

export type CallbackDisposition = (typeof callbackDispositions)[number]

/** A callback as it came. One row of `mpesa_callbacks`; the same bytes again only count a copy more. */
export type CallbackEvidence = {
  /** SHA-256 of the body. */
  readonly digest: string
  readonly body: Uint8Array
  readonly checkoutRequestId: string | null
  readonly merchantRequestId: string | null
  readonly receivedAt: Date
}
