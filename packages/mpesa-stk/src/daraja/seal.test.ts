import { expect, test } from 'vitest'
import { sealToken, unsealToken } from './seal.ts'

test('a sealed token is read with the same credentials only, and not after a change', () => {
  const sealed = sealToken('exampleAccessToken0000000028', 'key and secret')
  expect(Buffer.from(sealed).includes('example')).toBe(false)
  expect(unsealToken(sealed, 'key and secret')).toBe('exampleAccessToken0000000028')
  expect(unsealToken(sealed, 'key and rotated secret')).toBeNull()
  const changed = Uint8Array.from(sealed)
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
  expect(unsealToken(changed, 'key and secret')).toBeNull()
  expect(unsealToken(new Uint8Array(5), 'key and secret')).toBeNull()
})

test('the same token is never sealed to the same bytes', () => {
  expect(sealToken('token', 'key')).not.toEqual(sealToken('token', 'key'))
})
