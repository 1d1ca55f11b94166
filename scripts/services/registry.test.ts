import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { identify, isSameProcess } from './process-identity.ts'
import { readRegistry, withLock, writeRegistry } from './registry.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'registry-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('remembers what was written, and leaves no draft behind', () => {
  expect(readRegistry(folder)).toEqual({})
  writeRegistry({ dataFolder: '/d' }, folder)
  expect(readRegistry(folder)).toEqual({ dataFolder: '/d' })
  expect(readdirSync(folder)).toEqual(['services.json'])
})

test('an unreadable record counts as none', () => {
  writeFileSync(join(folder, 'services.json'), '{"postgres":')
  expect(readRegistry(folder)).toEqual({})
})

test('a process is the recorded one only with the same start time', () => {
  const ours = identify(process.pid)
  expect(isSameProcess(ours)).toBe(true)
  expect(isSameProcess({ ...ours, startedAt: '1' })).toBe(false)
})

test('two pieces of work under the lock run one after the other', async () => {
  const order: string[] = []
  const work = (name: string) => async () => {
    order.push(`${name} begins`)
    await new Promise(resolve => setImmediate(resolve))
    order.push(`${name} ends`)
  }
  await Promise.all([withLock(work('a'), folder), withLock(work('b'), folder)])
  expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
})

test('a lock of a process that is gone is taken over, and a failure gives it back', async () => {
  const { pid } = spawnSync('true')
  for (const left of [JSON.stringify({ pid, startedAt: '1' }), '']) {
    writeFileSync(join(folder, 'lock'), left)
    await expect(withLock(() => Promise.reject(new Error('no')), folder)).rejects.toThrow('no')
    expect(readdirSync(folder)).toEqual([])
  }
})
