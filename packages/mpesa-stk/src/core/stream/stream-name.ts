/** A view of an app's log: everything, or what is about one payment. */
export type StreamName = { readonly kind: 'source' } | { readonly kind: 'payment'; readonly paymentId: string }

/** Null for what is no name of a stream. */
export function parseStreamName(text: string): StreamName | null {
  if (text === 'source') return { kind: 'source' }
  const paymentId = /^payment:([\w-]{1,64})$/.exec(text)?.[1]
  return paymentId === undefined ? null : { kind: 'payment', paymentId }
}

export function formatStreamName(name: StreamName): string {
  return name.kind === 'source' ? 'source' : `payment:${name.paymentId}`
}

/** What an opaque name that we made ourselves begins with; `payment-alias.ts` makes it. */
export const aliasPrefix = 'h_'
