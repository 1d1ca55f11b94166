export type StorageLike = {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}

/** Where the cursor of one stream is kept across reloads. */
export type CursorSlot = { read(): string | null; write(cursor: string | null): void }

/** A storage that is full or forbidden costs a reload its place, and nothing else. */
export function createCursorSlot(
  storage: StorageLike | null,
  key: string,
  onError: (error: unknown) => void,
): CursorSlot {
  let hasFailed = false
  const attempt = <T>(run: () => T, otherwise: T): T => {
    try {
      return run()
    } catch (error) {
      if (!hasFailed) onError(error)
      hasFailed = true
      return otherwise
    }
  }
  return {
    read: () => attempt(() => storage?.getItem(key) ?? null, null),
    write: cursor =>
      attempt(() => (cursor === null ? storage?.removeItem(key) : storage?.setItem(key, cursor)), undefined),
  }
}

/** Null where there is none; to look for it may already be forbidden. */
export function findSessionStorage(): StorageLike | null {
  try {
    return (globalThis as { sessionStorage?: StorageLike }).sessionStorage ?? null
  } catch {
    return null
  }
}
