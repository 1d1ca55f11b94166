import { closeSync, existsSync, fsyncSync, openSync, readFileSync, realpathSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { describeError, MpesaStkError } from '../core/errors.ts'
import { createPrivately } from '../store/sqlite/create-privately.ts'
import { lockFile } from '../store/sqlite/database.ts'

/** Where a listener keeps how far it has come, for one of them at a time. */
export type CursorFile = Disposable & {
  /** Null: it has not begun. */
  read(): string | null
  /** On the disk when it returns. */
  write(cursor: string): void
}

/**
 * Takes the file, and makes the folder that it is to be in.
 *
 * @throws MpesaStkError `MPESA_STK_CURSOR_IN_USE`, `MPESA_STK_CLI_USAGE` for a file that is not this app's
 */
export async function openCursorFile(file: string, appId: string): Promise<CursorFile> {
  // A link stays one: its file is the one that is locked and replaced, whoever leads to it.
  const path = existsSync(file) ? realpathSync(file) : file
  const unlock = await lock(`${path}.lock`)
  return {
    read: () => (existsSync(path) ? readCursor(path, appId) : null),
    write: cursor => replace(path, `${JSON.stringify({ appId, cursor })}\n`),
    [Symbol.dispose]: unlock,
  }
}

async function lock(path: string): Promise<() => void> {
  try {
    return await lockFile(path)
  } catch (cause) {
    if (cause instanceof MpesaStkError && cause.code === 'MPESA_STK_SQLITE_IN_USE') {
      throw new MpesaStkError(
        'MPESA_STK_CURSOR_IN_USE',
        `another listener keeps its place beside ${path}; stop it, or name another file with --cursor-file`,
        { cause },
      )
    }
    if (cause instanceof MpesaStkError) throw cause
    throw new MpesaStkError(
      'MPESA_STK_CLI_USAGE',
      `${path} cannot be made (${describeError(cause)['code']}); name a file in a folder of yours with --cursor-file`,
      { cause },
    )
  }
}

function readCursor(path: string, appId: string): string {
  const kept = parse(readFileSync(path, 'utf8'))
  if (kept?.appId === appId && typeof kept.cursor === 'string') return kept.cursor
  throw new MpesaStkError(
    'MPESA_STK_CLI_USAGE',
    `${path} is not the cursor file of this app; name another with --cursor-file, or remove it to begin with what comes from now on`,
  )
}

function parse(text: string): { readonly appId?: unknown; readonly cursor?: unknown } | null {
  try {
    return JSON.parse(text) as { appId?: unknown; cursor?: unknown } | null
  } catch {
    return null
  }
}

/** Either the old or the new one is there, whenever the power goes. */
function replace(path: string, text: string): void {
  const next = `${path}.next`
  createPrivately(next)
  const file = openSync(next, 'w', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(next, path)
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
