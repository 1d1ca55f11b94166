import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** What the shop has to know of its app at the relay. The secret is shown once, when the app is made. */
export type RelayApp = {
  readonly appId: string
  /** The path at the relay that Safaricom posts to. */
  readonly hookUrl: string
  readonly signingSecret: string
}

/** Null when nothing was kept, or nothing that can be used. */
export function readRelayApp(file: string): RelayApp | null {
  if (!existsSync(file)) return null
  try {
    return toRelayApp(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** Whole or not at all, and for its owner's eyes only. */
export function keepRelayApp(file: string, app: RelayApp): void {
  const unfinished = `${file}.unfinished`
  rmSync(unfinished, { force: true })
  writeFileSync(unfinished, `${JSON.stringify(app, null, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true })
  renameSync(unfinished, file)
}

export function toRelayApp(value: unknown): RelayApp | null {
  if (typeof value !== 'object' || value === null) return null
  const { appId, hookUrl, signingSecret } = value as Record<string, unknown>
  if (typeof appId !== 'string' || typeof hookUrl !== 'string' || typeof signingSecret !== 'string') return null
  return { appId, hookUrl, signingSecret }
}
