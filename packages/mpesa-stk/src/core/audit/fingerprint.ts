import { createHmac } from 'node:crypto'

/** A keyed hash of something personal: recognises it again, for whoever has the key, and tells nobody else what it is. */
export type Fingerprint = (value: string) => string

/** HMAC-SHA-256 in hexadecimal. A plain hash would not do: there are only some hundred million phone numbers to try. */
export function createFingerprint(key: string): Fingerprint {
  return value => createHmac('sha256', key).update(value).digest('hex')
}
