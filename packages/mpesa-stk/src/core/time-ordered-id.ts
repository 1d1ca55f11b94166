/**
 * A time-ordered identifier (UUID version 7, RFC 9562): rows of one day lie together in an index, and an id tells a
 * person roughly when it began.
 *
 * @param at the time that goes into the first 48 bits
 * @param random 16 random bytes; the first six are overwritten
 */
export function createTimeOrderedId(at: Date, random: Uint8Array): string {
  const time = at.getTime().toString(16).padStart(12, '0')
  const hex = (from: number, to: number): string => {
    let text = ''
    for (let index = from; index < to; index++) text += hexOf[random[index] ?? 0]
    return text
  }
  const version = hexOf[((random[6] ?? 0) & 0x0f) | 0x70]
  const variant = hexOf[((random[8] ?? 0) & 0x3f) | 0x80]
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}${hex(7, 8)}-${variant}${hex(9, 10)}-${hex(10, 16)}`
}

/** No id of that time or later comes before this, and every earlier one does. */
export function firstIdOf(at: Date): string {
  return createTimeOrderedId(at, new Uint8Array(16)).slice(0, 13)
}

const hexOf = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
