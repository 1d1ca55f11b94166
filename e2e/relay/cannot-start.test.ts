import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { findFreePort, startRelay } from './relay-process.ts'

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-start-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** What a relay says that does not start. */
async function startInVain(environment: Readonly<Record<string, string>>): Promise<string> {
  const hangs = new AbortController()
  onTestFinished(() => hangs.abort())
  try {
    const started = await startRelay({ PORT: '0', RELAY_DATA_DIR: newFolder(), ...environment }, hangs.signal)
    await started.kill()
    return 'it started'
  } catch (error) {
    return String(error)
  }
}

describe('a relay whose environment is wrong', () => {
  // Of a net that is nobody's (RFC 5737): it is only bound to.
  const elsewhere = { HOST: '203.0.113.1' }

  test.each([
    [
      'an address of another machine',
      async () => elsewhere,
      /203\.0\.113\.1:0 is no address of this machine; look at HOST/,
    ],
    [
      'such an address, and a database that is away',
      async () => ({ ...elsewhere, DATABASE_URL: `postgres://relay:hunter2@127.0.0.1:${await findFreePort()}/relay` }),
      /203\.0\.113\.1:0 is no address of this machine; look at HOST/,
    ],
    ['a URL that is none', async () => ({ DATABASE_URL: 'postgres://relay:hunter2@[bad/' }), /DATABASE_URL must be/],
    ['a token that no header can hold', async () => ({ RELAY_ADMIN_TOKEN: 'hunter2'.repeat(80) }), /RELAY_ADMIN_TOKEN/],
    [
      'a folder with an empty key',
      async () => {
        const RELAY_DATA_DIR = newFolder()
        writeFileSync(join(RELAY_DATA_DIR, 'encryption-key'), '')
        return { RELAY_DATA_DIR }
      },
      /the encryption key must have at least 16 characters/,
    ],
    [
      'a data folder that is a file',
      async () => {
        const RELAY_DATA_DIR = join(newFolder(), 'a-file')
        writeFileSync(RELAY_DATA_DIR, '')
        return { RELAY_DATA_DIR }
      },
      /a-file.relay\.db cannot be opened or made \(\w+\); look at RELAY_DATA_DIR/,
    ],
    [
      'a store that is something else',
      async () => {
        const RELAY_DATA_DIR = newFolder()
        writeFileSync(join(RELAY_DATA_DIR, 'relay.db'), 'no database, and long enough to be looked at. '.repeat(100))
        return { RELAY_DATA_DIR }
      },
      /relay\.db cannot be opened or made \(\w+\); look at RELAY_DATA_DIR/,
    ],
  ])('ends with a message that says what to do, and no stack trace: %s', async (_what, environment, message) => {
    const said = await startInVain(await environment())
    expect(said).toContain('exit code 1\n')
    expect(said).toMatch(/^MPESA_STK_CONFIG_INVALID: /m)
    expect(said).toMatch(message)
    expect(said).not.toMatch(/^\s+at /m)
    expect(said).not.toContain('hunter2')
  })

  test('whose key was lost makes no other, and says where to put the old one', async () => {
    const RELAY_DATA_DIR = newFolder()
    const key = join(RELAY_DATA_DIR, 'encryption-key')
    const first = await startRelay({ PORT: '0', RELAY_DATA_DIR })
    const body = '{"targetUrl":"http://127.0.0.1:9/"}'
    await fetch(`${first.url}/apps`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    expect(await first.stop()).toBe(0)
    renameSync(key, `${key}-elsewhere`)
    const said = await startInVain({ RELAY_DATA_DIR })
    expect(said).toMatch(/^MPESA_STK_RELAY_KEY_WRONG: the store was written with a key.* put .*encryption-key back/m)
    expect(existsSync(key)).toBe(false)
    renameSync(`${key}-elsewhere`, key)
    const again = await startRelay({ PORT: '0', RELAY_DATA_DIR })
    expect(await again.stop()).toBe(0)
  })

  test('of two on one data folder the second says whose it is and what to do', async () => {
    const RELAY_DATA_DIR = newFolder()
    const first = await startRelay({ PORT: '0', RELAY_DATA_DIR })
    const said = await startInVain({ RELAY_DATA_DIR })
    await first.kill()
    expect(said).toMatch(/^MPESA_STK_SQLITE_IN_USE: another process has .*relay\.db open .*RELAY_DATA_DIR/m)
    expect(said).not.toMatch(/^\s+at /m)
  })
})
