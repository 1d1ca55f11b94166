/** One of Daraja's request ids, or null for what cannot be one. Opaque: its shape changed before. [observed] */
export function readRequestId(value: unknown): string | null {
  return typeof value === 'string' && /^[\x21-\x7e]{1,128}$/.test(value) ? value : null
}
