import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { MpesaStkError } from '../core/errors.ts'

/** Whatever is shorter can be guessed. */
export const shortestSecret = 16

export const encryptionKeyPath = (folder: string): string => join(folder, 'encryption-key')

/**
 * The key in a folder, which is made there once, for its owner's eyes only. A key that was lost is noticed by the store's
 * check value before anything is sealed with the next.
 */
export function findEncryptionKey(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = encryptionKeyPath(folder)
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  const file = openSync(draft, 'wx', 0o600)
  try {
    writeSync(file, `${randomBytes(32).toString('hex')}\n`)
    fsyncSync(file)
    // Unlike a write, a link appears at once with its content, and never replaces the key that is there.
    linkSync(draft, path)
  } catch (error) {
    if (!(error instanceof Error) || Reflect.get(error, 'code') !== 'EEXIST') throw error
  } finally {
    closeSync(file)
    rmSync(draft, { force: true })
  }
  return readFileSync(path, 'utf8').trim()
}

/** @throws MpesaStkError `MPESA_STK_CONFIG_INVALID` */
export function checkedKey(key: string): string {
  if (key.length >= shortestSecret) return key
  throw new MpesaStkError(
    'MPESA_STK_CONFIG_INVALID',
    `the encryption key must have at least ${shortestSecret} characters; look at RELAY_ENCRYPTION_KEY, or at encryption-key in the data folder`,
  )
}
