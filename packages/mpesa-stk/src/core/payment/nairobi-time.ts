const nairobiOffsetMs = 3 * 60 * 60 * 1000

/**
 * `YYYYMMDDHHmmss` in Nairobi time (UTC+3, no daylight saving), the form of Daraja's `Timestamp`. Whether Daraja
 * enforces the zone is disputed; Nairobi time is the side nobody reports trouble with. [unverified]
 */
export function nairobiTimestamp(at: Date): string {
  return new Date(at.getTime() + nairobiOffsetMs).toISOString().replace(/\D/g, '').slice(0, 14)
}
