import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, onTestFinished, test } from 'vitest'
import { SqliteRelayAdapter } from '../adapters/relay-sqlite.ts'
import { createRelayServer } from '../http/relay-server.ts'
import { checkedKey, findEncryptionKey } from './encryption-key.ts'

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-key-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

const refused = expect.objectContaining({ code: 'MPESA_STK_CONFIG_INVALID' })

describe('the encryption key of a folder', () => {
  test('is made once, for its owner’s eyes only, and nothing else is left there', () => {
    const folder = join(newFolder(), 'data', 'relay')
    // Whatever the user's umask leaves to others.
    const umask = process.umask(0)
    onTestFinished(() => void process.umask(umask))
    const key = findEncryptionKey(folder)
    expect(key).toMatch(/^[0-9a-f]{64}$/)
    expect(statSync(join(folder, 'encryption-key')).mode & 0o777).toBe(0o600)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(findEncryptionKey(folder)).toBe(key)
    expect(readdirSync(folder)).toEqual(['encryption-key'])
    expect(findEncryptionKey(newFolder())).not.toBe(key)
  })

  test('that somebody put there is taken as it is', () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'encryption-key'), '  a key from elsewhere \n')
    expect(findEncryptionKey(folder)).toBe('a key from elsewhere')
    expect(readdirSync(folder)).toEqual(['encryption-key'])
  })

  test('is the same for eight processes that look for it at the same moment', async () => {
    const root = newFolder()
    const script = `
      import { createInterface } from 'node:readline'
      import { findEncryptionKey } from ${JSON.stringify(new URL('./encryption-key.ts', import.meta.url).href)}
      console.log('ready')
      for await (const folder of createInterface({ input: process.stdin })) console.log(findEncryptionKey(folder))
    `
    const children = Array.from({ length: 8 }, () => startNode(script))
    onTestFinished(() => {
      for (const { child } of children) child.kill('SIGKILL')
    })
    const sayAll = (): Promise<readonly string[]> => Promise.all(children.map(({ nextLine }) => nextLine()))
    expect(new Set(await sayAll())).toEqual(new Set(['ready']))
    // Many times: once alone they may not meet.
    for (let round = 0; round < 25; round++) {
      const folder = join(root, String(round))
      for (const { child } of children) child.stdin?.write(`${folder}\n`)
      const keys = await sayAll()
      expect(keys).toEqual(Array(8).fill(readFileSync(join(folder, 'encryption-key'), 'utf8').trim()))
      expect(keys[0]).toMatch(/^[0-9a-f]{64}$/)
      expect(readdirSync(folder)).toEqual(['encryption-key'])
    }
    for (const { child } of children) child.stdin?.end()
    await Promise.all(children.map(({ exited }) => exited))
  })
})

function startNode(script: string): {
  readonly child: ChildProcess
  readonly exited: Promise<unknown>
  nextLine(): Promise<string>
} {
  const args = ['--conditions=@mpesa-stk/source', '--import', 'tsx', '--input-type=module', '--eval', script]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    child,
    exited: once(child, 'exit'),
    async nextLine() {
      const { value, done } = await lines.next()
      return done === true ? 'the process has ended' : value
    },
  }
}

describe('a key that can be guessed', () => {
  test.each(['', '\n', 'fifteen letters'])('is refused: %j', key => {
    expect(() => checkedKey(key.trim())).toThrow(refused)
  })

  test.each(['', ' \n', 'fifteen letters\n'])(
    'in the folder is refused by the relay, and left as it is: %j',
    async content => {
      const folder = newFolder()
      writeFileSync(join(folder, 'encryption-key'), content)
      const storage = await SqliteRelayAdapter.open(':memory:')
      expect(() => createRelayServer({ storage, dataFolder: folder })).toThrow(refused)
      await storage.close()
      expect(readFileSync(join(folder, 'encryption-key'), 'utf8')).toBe(content)
      expect(readdirSync(folder)).toEqual(['encryption-key'])
    },
  )

  test.each(['', 'fifteen letters'])(
    'is refused as the option encryptionKey, without a word of it: %j',
    async encryptionKey => {
      const folder = newFolder()
      const storage = await SqliteRelayAdapter.open(':memory:')
      let thrown: unknown
      try {
        createRelayServer({ storage, dataFolder: folder, encryptionKey })
      } catch (error) {
        thrown = error
      }
      await storage.close()
      expect(thrown).toEqual(refused)
      expect(String(thrown)).not.toContain('fifteen letters')
      // Nothing was begun with it.
      expect(readdirSync(folder)).toEqual([])
    },
  )

  test('has a letter less than one that is taken', () => {
    expect(checkedKey('sixteen letters!')).toBe('sixteen letters!')
  })
})
