import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startRelay } from '../../e2e/relay/relay-process.ts'

export type BenchApp = { readonly hook: string }

/** A relay that is a process of its own, on a store of its own. */
export async function openBenchRelay(environment: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-bench-'))
  const relay = await startRelay({ ...environment, PORT: '0', RELAY_DATA_DIR: folder, LOG_LEVEL: 'silent' })
  const json = { 'content-type': 'application/json' }
  return {
    url: relay.url,
    pid: relay.pid,
    async createApp(targetUrl: string, { isDisabled = false, receives = 'callbacks' } = {}): Promise<BenchApp> {
      const body = JSON.stringify({ targetUrl, receives, scheduleMs: [60_000] })
      const created = await fetch(`${relay.url}/apps`, { method: 'POST', headers: json, body })
      const { appId, hookUrl, signingSecret } = (await created.json()) as Record<string, string>
      if (isDisabled) {
        const headers = { ...json, authorization: `Bearer ${signingSecret}` }
        await fetch(`${relay.url}/apps/${appId}`, { method: 'PATCH', headers, body: '{"isDisabled":true}' })
      }
      return { hook: `${relay.url}${hookUrl}` }
    },
    async [Symbol.asyncDispose]() {
      await relay.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
