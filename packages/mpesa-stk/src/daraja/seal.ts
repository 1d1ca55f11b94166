import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

/**
 * A token as the store may hold it: AES-256-GCM under a key made of the consumer key and secret. Whoever has those can ask
 * Daraja for a token anyway, and whoever has the database alone has nothing.
 */
export function sealToken(token: string, credentials: string): Uint8Array {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', keyOf(credentials), nonce)
  const sealed = Buffer.concat([cipher.update(token, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed])
}

/** The token, or null when it was sealed with other credentials or changed since. */
export function unsealToken(sealed: Uint8Array, credentials: string): string | null {
  try {
    const decipher = createDecipheriv('aes-256-gcm', keyOf(credentials), sealed.subarray(0, 12), { authTagLength: 16 })
    decipher.setAuthTag(sealed.subarray(12, 28))
    return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]).toString('utf8')
  } catch {
    return null
  }
}

function keyOf(credentials: string): Buffer {
  return createHash('sha256').update(`mpesa-stk access token ${credentials}`).digest()
}
