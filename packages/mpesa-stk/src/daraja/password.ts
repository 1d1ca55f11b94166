import { nairobiTimestamp } from '../core/payment/nairobi-time.ts'

/** `Password` and the `Timestamp` inside it: base64(shortcode + passkey + timestamp). [documented] */
export function signRequest(shortCode: string, passKey: string, at: Date): { Password: string; Timestamp: string } {
  const Timestamp = nairobiTimestamp(at)
  return { Password: Buffer.from(`${shortCode}${passKey}${Timestamp}`).toString('base64'), Timestamp }
}
