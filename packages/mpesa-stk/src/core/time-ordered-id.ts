/**
 * A time-ordered identifier (UUID version 7, RFC 9562): rows of one day lie together in an index, and an id tells a
 * person roughly when it began.
 *
 * @param at the time that goes into the first 48 bits
 * @param random 16 random bytes; the first six are overwritten
 */
export function createTimeOrderedId(at: Date, random: Uint8Array): string {
  const bytes = Uint8Array.from(random.subarray(0, 16))
  const time = BigInt(at.getTime())
  for (let index = 0; index < 6; index++) bytes[index] = Number((time >> BigInt(8 * (5 - index))) & 0xffn)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
