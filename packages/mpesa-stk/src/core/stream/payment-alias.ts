import { createHmac } from 'node:crypto'
import { aliasPrefix } from './stream-name.ts'

/**
 * How pages know a payment that no library reported: Safaricom's id of it ends with the customer's number, so they get a
 * keyed hash. The same for the same payment, and nobody without the key can tell which.
 */
export function paymentAlias(key: string, businessKey: string): string {
  return `${aliasPrefix}${createHmac('sha256', key).update(businessKey).digest('base64url').slice(0, 27)}`
}
