import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { frame, readFrames } from './frame.ts'
import { Spool } from './spool.ts'

const root = mkdtempSync(join(tmpdir(), 'mpesa-stk-spool-'))
afterAll(() => rmSync(root, { recursive: true }))
let last = 0
const newFolder = (): string => join(root, String(++last))
const silent = { info() {}, warn() {}, error() {} }
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

async function drained(spool: Spool): Promise<readonly string[]> {
  const seen: string[] = []
  await spool.drain(async records => {
    seen.push(...records.map(record => Buffer.from(record).toString()))
  })
  return seen
}

test('what was appended is handed over in its order, once, and then gone from the disk', async () => {
  const folder = newFolder()
  const spool = Spool.open(folder, silent)
  expect(spool.isEmpty).toBe(true)
  const names = Array.from({ length: 500 }, (_, index) => `record ${index}`)
  await Promise.all(names.map(name => spool.append(bytes(name))))
  expect(spool.isEmpty).toBe(false)
  expect(await drained(spool)).toEqual(names)
  expect(spool.isEmpty).toBe(true)
  expect(readdirSync(folder)).toEqual([])
  expect(await drained(spool)).toEqual([])
})

test('what a process left is there for the next, before what comes then', async () => {
  const folder = newFolder()
  const first = Spool.open(folder, silent)
  await first.append(bytes('before'))
  const second = Spool.open(folder, silent)
  expect(second.isEmpty).toBe(false)
  await second.append(bytes('after'))
  expect(await drained(second)).toEqual(['before', 'after'])
})

test('what comes while it is drained comes after, and what could not be handed over stays', async () => {
  const spool = Spool.open(newFolder(), silent)
  await spool.append(bytes('a'))
  await expect(
    spool.drain(async () => {
      await spool.append(bytes('b'))
      throw new Error('the store failed')
    }),
  ).rejects.toThrow('the store failed')
  expect(await drained(spool)).toEqual(['a', 'b'])
})

test('a write that was cut off hides nothing that was whole, and is put aside for a person', async () => {
  const folder = newFolder()
  const spool = Spool.open(folder, silent)
  await spool.append(bytes('whole'))
  const [file = ''] = readdirSync(folder)
  appendFileSync(join(folder, file), frame(bytes('torn')).subarray(0, 9))
  const next = Spool.open(folder, silent)
  await next.append(bytes('later'))
  expect(await drained(next)).toEqual(['whole', 'later'])
  expect(readdirSync(folder)).toEqual([`${file}.torn`])
})

test('a disk that takes nothing is said so, and what comes when it does again is kept', async () => {
  const folder = newFolder()
  const spool = Spool.open(folder, silent)
  rmSync(folder, { recursive: true })
  writeFileSync(folder, 'no folder any more')
  await expect(spool.append(bytes('lost'))).rejects.toThrow()
  expect(spool.isEmpty).toBe(true)
  rmSync(folder)
  Spool.open(folder, silent)
  await spool.append(bytes('kept'))
  expect(await drained(spool)).toEqual(['kept'])
})

test('a record that nobody can take is kept aside', async () => {
  const folder = newFolder()
  const spool = Spool.open(folder, silent)
  await spool.putAside(bytes('odd'))
  const { records } = readFrames(readFileSync(join(folder, 'refused.frames')))
  expect(records.map(record => Buffer.from(record).toString())).toEqual(['odd'])
  expect(spool.isEmpty).toBe(true)
})

describe('frames', () => {
  test('end where a byte is wrong, wherever that is', () => {
    const file = Buffer.concat(['one', 'two', 'three'].map(text => frame(bytes(text))))
    expect(readFrames(file)).toMatchObject({ tornBytes: 0 })
    for (let index = 0; index < file.length; index++) {
      const changed = Buffer.from(file)
      changed.writeUInt8((changed.readUInt8(index) + 1) % 256, index)
      const { records, tornBytes } = readFrames(changed)
      expect(records.length).toBeLessThan(3)
      expect(tornBytes).toBeGreaterThan(0)
    }
    for (let length = 0; length < file.length; length++) {
      expect(readFrames(file.subarray(0, length)).records.length).toBeLessThan(3)
    }
  })
})
