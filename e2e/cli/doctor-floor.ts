import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { SqliteAdapter } from 'mpesa-stk'
import { createSimulator, type Simulator, type SimulatorOptions } from 'mpesa-stk-simulator'
import { checks } from '../../packages/mpesa-stk/src/doctor/checks.ts'
import type { Finding } from '../../packages/mpesa-stk/src/doctor/finding.ts'
import { type CheckReport, runChecks } from '../../packages/mpesa-stk/src/doctor/run-checks.ts'
import { listen } from '../relay/relay-floor.ts'

export type Environment = Record<string, string>

const secrets = {
  MPESA_CONSUMER_KEY: 'doctor-consumer-key',
  MPESA_CONSUMER_SECRET: 'doctor-consumer-secret',
  MPESA_PASSKEY: 'doctor-pass-key',
}

/** A folder of a merchant's, a simulated Safaricom, and whatever was opened for them: all goes with the test. */
export async function openFloor(options: SimulatorOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-doctor-'))
  const simulator: Simulator = await createSimulator({ seed: 1, ...options })
  const opened: (() => Promise<unknown>)[] = [() => simulator.close()]

  return {
    folder,
    simulator,
    closing(close: () => Promise<unknown>): void {
      opened.unshift(close)
    },
    /** How the library is set up here; `more` on top. */
    library: (more: Environment = {}): Environment => ({
      ...secrets,
      MPESA_SHORTCODE: '600984',
      MPESA_ENVIRONMENT: 'sandbox',
      MPESA_BASE_URL: simulator.url,
      MPESA_CALLBACK_URL: `${simulator.url}/paid`,
      ...more,
    }),
    /** A server of this machine that answers every GET in one way. */
    async answering(status: number, headers: Environment = {}): Promise<string> {
      const server: Server = createServer((_request, response) => void response.writeHead(status, headers).end('{}'))
      const port = await listen(server)
      opened.unshift(() => new Promise(resolve => server.close(resolve)))
      return `http://127.0.0.1:${port}`
    },
    write(path: string, content = ''): string {
      const whole = join(folder, path)
      mkdirSync(dirname(whole), { recursive: true })
      writeFileSync(whole, content)
      return whole
    },
    git(...args: readonly string[]): void {
      execFileSync('git', ['-c', 'user.name=shop', '-c', 'user.email=shop@shop.example', ...args], { cwd: folder })
    },
    async openStoreFile(): Promise<string> {
      const store = await SqliteAdapter.open(join(folder, 'payments.db'))
      await store.migrate()
      await store.close()
      return 'payments.db'
    },
    async [Symbol.asyncDispose]() {
      for (const close of opened) await close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export type Floor = Awaited<ReturnType<typeof openFloor>>

/** Every finding that a test of this file has seen. */
export const seen = new Set<string>()

export function see(findings: readonly Finding[]): readonly Finding[] {
  for (const { check, name } of findings) seen.add(`${check}/${name}`)
  return findings
}

/** Runs every check on a set-up. No secret of it is in what they say, and no number of a person. */
export async function diagnose(
  folder: string,
  environment: Environment,
  isOffline = false,
): Promise<readonly CheckReport[]> {
  const reports = await Promise.all(runChecks(checks, { environment, folder, now: new Date(), isOffline }, 10_000))
  const told = JSON.stringify(reports)
  for (const [name, value] of Object.entries(environment)) {
    const isSecret = /KEY|SECRET|TOKEN|PASSWORD$|CREDENTIAL/.test(name)
    if (isSecret && value !== '' && told.includes(value)) throw new Error(`the value of ${name} was told`)
  }
  see(reports.flatMap(({ findings }) => findings))
  return reports
}
