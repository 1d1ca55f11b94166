import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findChromium, findPostgresBin, findRedisServer } from './binaries.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'binaries-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function program(path: string, mode = 0o755): void {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, '')
  chmodSync(file, mode)
}

function postgresVersion(version: string): void {
  for (const name of ['initdb', 'pg_ctl', 'postgres']) program(`postgresql/${version}/bin/${name}`)
}

function searchHere(PATH = '') {
  return { env: { PATH }, postgresRoot: join(folder, 'postgresql'), fixedPaths: [] }
}

test('finds nothing on a bare machine', () => {
  expect(findPostgresBin(searchHere())).toBeUndefined()
  expect(findRedisServer(searchHere())).toBeUndefined()
  expect(findChromium(searchHere())).toBeUndefined()
})

test('takes the newest PostgreSQL by number, not by letter', () => {
  for (const version of ['9.6', '14', '100', '17']) postgresVersion(version)
  expect(findPostgresBin(searchHere())).toBe(join(folder, 'postgresql/100/bin'))
})

test('passes over a PostgreSQL that is too old or only a client', () => {
  postgresVersion('13')
  program('postgresql/16/bin/psql')
  expect(findPostgresBin(searchHere())).toBeUndefined()
})

test('finds PostgreSQL and Redis in the PATH', () => {
  for (const name of ['initdb', 'pg_ctl', 'redis-server']) program(`bin/${name}`)
  expect(findPostgresBin(searchHere(join(folder, 'bin')))).toBe(join(folder, 'bin'))
  expect(findRedisServer(searchHere(join(folder, 'bin')))).toBe(join(folder, 'bin/redis-server'))
})

test('a file that cannot be executed is not a program', () => {
  program('bin/chromium', 0o644)
  expect(findChromium(searchHere(join(folder, 'bin')))).toBeUndefined()
})
