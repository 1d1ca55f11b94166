import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/** Creates a file, and the folders above it that are missing, for its owner's eyes only. Leaves an existing file alone. */
export function createPrivately(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    // Exclusive, so that a file that exists is never opened: closing any descriptor of it would drop the locks that this
    // process holds on it, SQLite's among them.
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (!(error instanceof Error && Reflect.get(error, 'code') === 'EEXIST')) throw error
  }
}
