import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { credentialsFromFile } from './credentials-from-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-credentials-file-'))
afterAll(() => rmSync(folder, { recursive: true }))

let lastFile = 0
function write(content: string): string {
  const path = join(folder, `${++lastFile}.json`)
  writeFileSync(path, content)
  return path
}

const old = { consumerKey: 'k', consumerSecret: 's', passKey: 'old' }

test('the file is read each time that it is asked, so writing new credentials is a rotation', async () => {
  const path = write(JSON.stringify({ ...old, note: 'not for us' }))
  const provider = credentialsFromFile(path)
  expect(await provider()).toEqual(old)
  writeFileSync(path, JSON.stringify({ ...old, passKey: ' new\n' }))
  expect(await provider()).toEqual({ ...old, passKey: 'new' })
})

test('a file that comes after the provider was made is found', async () => {
  const path = join(folder, 'mounted-later.json')
  const provider = credentialsFromFile(path)
  await expect(provider()).rejects.toMatchObject({ code: 'MPESA_STK_CREDENTIALS_MISSING' })
  writeFileSync(path, JSON.stringify(old))
  expect(await provider()).toEqual(old)
})

test.each([
  ['that is not there', () => join(folder, 'none.json'), /cannot be read/],
  ['that is a folder', () => folder, /cannot be read/],
  ['that is cut', () => write('{"consumerSecret":"the-consumer-secret"'), /is not a JSON object/],
  ['that is a list', () => write('["the-consumer-secret"]'), /lacks consumerKey, consumerSecret, passKey/],
  ['that is a text', () => write('"the-consumer-secret"'), /is not a JSON object/],
  ['that is empty', () => write(''), /is not a JSON object/],
  [
    'that lacks a field',
    () => write('{"consumerKey":"k","consumerSecret":"the-consumer-secret","passKey":" "}'),
    /lacks passKey/,
  ],
  [
    'whose field is a number',
    () => write('{"consumerKey":1,"consumerSecret":"the-consumer-secret","passKey":"p"}'),
    /lacks consumerKey/,
  ],
])('a file %s is named, and nothing of its content', async (_what, path, message) => {
  const error = await Promise.resolve(credentialsFromFile(path())()).catch((cause: unknown) => cause)
  expect(error).toMatchObject({ code: 'MPESA_STK_CREDENTIALS_MISSING', message: expect.stringMatching(message) })
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('the-consumer-secret')
})
