import { expect, test } from 'vitest'
import { seal, unseal } from './seal.ts'

test('a sealed token is read with the same credentials only, and not after a change', () => {
  const sealed = seal('exampleAccessToken0000000028', 'key and secret', 'access token')
  expect(Buffer.from(sealed).includes('example')).toBe(false)
  expect(unseal(sealed, 'key and secret', 'access token')).toBe('exampleAccessToken0000000028')
  expect(unseal(sealed, 'key and rotated secret', 'access token')).toBeNull()
  const changed = Uint8Array.from(sealed)
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
  expect(unseal(changed, 'key and secret', 'access token')).toBeNull()
  expect(unseal(new Uint8Array(5), 'key and secret', 'access token')).toBeNull()
})

test('the same token is never sealed to the same bytes', () => {
  expect(seal('token', 'key', 'access token')).not.toEqual(seal('token', 'key', 'access token'))
})

test('what is sealed for one purpose is nothing for another', () => {
  expect(unseal(seal('token', 'key', 'access token'), 'key', 'app secrets')).toBeNull()
})
