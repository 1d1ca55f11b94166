import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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

/** As a relay that starts. */
function openSpool(folder: string, logger: typeof silent): Spool {
  const spool = Spool.open(folder, logger)
  spool.takeOver(0)
  return spool
}

async function drained(spool: Spool): Promise<readonly string[]> {
  const seen: string[] = []
  await spool.drain(async records => {
    seen.push(...records.map(record => Buffer.from(record).toString()))
  })
  return seen
}

test('what was appended is handed over in its order, once, and then gone from the disk', async () => {
  const folder = newFolder()
  const spool = openSpool(folder, silent)
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
  const first = openSpool(folder, silent)
  await first.append(bytes('before'))
  const second = openSpool(folder, silent)
  expect(second.isEmpty).toBe(false)
  await second.append(bytes('after'))
  expect(await drained(second)).toEqual(['before', 'after'])
})

test('what comes while it is drained comes after, and what could not be handed over stays', async () => {
  const spool = openSpool(newFolder(), silent)
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
  const spool = openSpool(folder, silent)
  await spool.append(bytes('whole'))
  const [file = ''] = readdirSync(folder)
  appendFileSync(join(folder, file), frame(bytes('torn')).subarray(0, 9))
  const next = openSpool(folder, silent)
  await next.append(bytes('later'))
  expect(await drained(next)).toEqual(['whole', 'later'])
  expect(readdirSync(folder)).toEqual([expect.stringMatching(/^spool-\d+-\w+\.log\.torn$/)])
})

test('zeros at the end of a file, as a power cut leaves them, stop nobody', async () => {
  const folder = newFolder()
  const spool = openSpool(folder, silent)
  await spool.append(bytes('whole'))
  const [file = ''] = readdirSync(folder)
  appendFileSync(join(folder, file), Buffer.alloc(4_096))
  expect(await drained(openSpool(folder, silent))).toEqual(['whole'])
})

test('two processes that share a folder lose nothing, whoever takes over what the other is writing', async () => {
  const folder = newFolder()
  const [old, young] = [openSpool(folder, silent), openSpool(folder, silent)]
  await Promise.all([old.append(bytes('1')), young.append(bytes('2'))])
  const third = openSpool(folder, silent)
  // Acknowledged after its file was taken over, and perhaps drained.
  const seen = [...(await drained(third))]
  await old.append(bytes('3'))
  await young.append(bytes('4'))
  for (const spool of [third, old, young, openSpool(folder, silent)]) seen.push(...(await drained(spool)))
  expect(new Set(seen)).toEqual(new Set(['1', '2', '3', '4']))
  expect([old.isEmpty, young.isEmpty, third.isEmpty]).toEqual([true, true, true])
})

test('a process that opens the folder and drains nothing takes nothing from another', async () => {
  const folder = newFolder()
  const living = openSpool(folder, silent)
  await living.append(bytes('its own'))
  Spool.open(folder, silent)
  expect(await drained(living)).toEqual(['its own'])
})

test('what was taken over and never drained is taken again when nobody has touched it for a while', async () => {
  const folder = newFolder()
  const living = openSpool(folder, silent)
  await living.append(bytes('taken'))
  // It takes the file, and ends.
  openSpool(folder, silent)
  expect(await drained(living)).toEqual([])
  living.takeOver(60_000)
  expect(living.isEmpty, 'it may be another living process’s').toBe(true)
  living.takeOver(0)
  expect(await drained(living)).toEqual(['taken'])
})

test('what was put aside as torn is never replaced by the next', async () => {
  const folder = newFolder()
  for (const text of ['one', 'two']) {
    const spool = openSpool(folder, silent)
    await spool.append(bytes(text))
    const file = readdirSync(folder).find(name => name.endsWith('.log')) ?? ''
    appendFileSync(join(folder, file), 'torn')
    await drained(openSpool(folder, silent))
  }
  expect(readdirSync(folder).filter(name => name.endsWith('.torn'))).toHaveLength(2)
})

test('a file that the disk no longer reads holds up nobody', async () => {
  const folder = newFolder()
  // Reading a folder fails as a bad sector does: with an error that is no absence.
  mkdirSync(join(folder, 'spool-000000000001-0123456789ab.log'), { recursive: true })
  const spool = openSpool(folder, silent)
  await spool.append(bytes('after'))
  expect(await drained(spool)).toEqual(['after'])
  expect(spool.isEmpty).toBe(true)
  expect(readdirSync(folder)).toEqual([expect.stringMatching(/\.torn$/)])
})

test('a disk that takes nothing is said so, and what comes when it does again is kept', async () => {
  const folder = newFolder()
  const spool = openSpool(folder, silent)
  rmSync(folder, { recursive: true })
  writeFileSync(folder, 'no folder any more')
  await expect(spool.append(bytes('lost'))).rejects.toThrow()
  expect(spool.isEmpty).toBe(true)
  rmSync(folder)
  openSpool(folder, silent)
  await spool.append(bytes('kept'))
  expect(await drained(spool)).toEqual(['kept'])
})

test('a record that nobody can take is kept aside, once however often it comes', async () => {
  const folder = newFolder()
  const spool = openSpool(folder, silent)
  for (let time = 0; time < 3; time++) await spool.putAside(bytes('odd'))
  expect(readdirSync(folder)).toHaveLength(1)
  const [file = ''] = readdirSync(folder)
  expect(file).toMatch(/^refused-/)
  const { records } = readFrames(readFileSync(join(folder, file)))
  expect(records.map(record => Buffer.from(record).toString())).toEqual(['odd'])
  expect(spool.isEmpty).toBe(true)
})

describe('frames', () => {
  test('of which one has a wrong byte, wherever that is, are missing this one alone', () => {
    const texts = ['one', 'two', 'three']
    const file = Buffer.concat(texts.map(text => frame(bytes(text))))
    expect(readFrames(file)).toMatchObject({ tornBytes: 0 })
    for (let index = 0; index < file.length; index++) {
      const changed = Buffer.from(file)
      changed.writeUInt8((changed.readUInt8(index) + 1) % 256, index)
      const { records, tornBytes } = readFrames(changed)
      const damaged = index < 15 ? 0 : index < 30 ? 1 : 2
      expect(records.map(record => Buffer.from(record).toString())).toEqual(texts.toSpliced(damaged, 1))
      expect(tornBytes).toBeGreaterThan(0)
    }
    for (let length = 0; length < file.length; length++) {
      expect(readFrames(file.subarray(0, length)).records.length).toBeLessThan(3)
    }
  })

  test('of what is nothing but marks are none', () => {
    const marks = Buffer.concat(Array.from({ length: 1_000 }, () => frame(bytes('x')).subarray(0, 4)))
    expect(readFrames(marks)).toEqual({ records: [], tornBytes: 4_000 })
  })
})
