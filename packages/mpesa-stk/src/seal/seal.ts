import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

/**
 * A text as a store may hold it: AES-256-GCM under a key made of `secret`. `purpose` keeps what is sealed for one thing from
 * being taken for another.
 */
export function seal(text: string, secret: string, purpose: string): Uint8Array {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret, purpose), nonce)
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed])
}

/** The text, or null when it was sealed with another secret, for another purpose, or changed since. */
export function unseal(sealed: Uint8Array, secret: string, purpose: string): string | null {
  try {
    const key = keyOf(secret, purpose)
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12), { authTagLength: 16 })
    decipher.setAuthTag(sealed.subarray(12, 28))
    return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]).toString('utf8')
  } catch {
    return null
  }
}

function keyOf(secret: string, purpose: string): Buffer {
  return createHash('sha256').update(`mpesa-stk ${purpose} ${secret}`).digest()
}
