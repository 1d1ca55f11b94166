import { startRelay } from '../relay/relay-process.ts'
import { askCli, type Ended, type Environment, openFolder, type RunningCli, runCli, startCli } from './cli-process.ts'

const adminToken = 'an-admin-token-that-is-long-enough'

export type App = { readonly appId: string; readonly signingSecret: string; readonly hookUrl: string }

/** A relay with an admin token on the embedded store, and `mpesa-stk` that asks it. */
export async function openFloor(port = 0) {
  const folder = openFolder()
  const relayEnvironment = { PORT: String(port), RELAY_DATA_DIR: `${folder.path}/data`, RELAY_ADMIN_TOKEN: adminToken }
  const start = () => startRelay(relayEnvironment)
  let relay = await start()
  const environment = (): Environment => ({ RELAY_URL: relay.url, RELAY_ADMIN_TOKEN: adminToken })
  const running = new Set<RunningCli>()
  const floor = {
    folder: folder.path,
    dataFolder: relayEnvironment.RELAY_DATA_DIR,
    url: () => relay.url,
    run: (args: readonly string[], more: Environment = {}): Promise<Ended> =>
      runCli(args, folder.path, { ...environment(), ...more }),
    ask: <Answer>(args: readonly string[], more: Environment = {}): Promise<Answer> =>
      askCli<Answer>(args, folder.path, { ...environment(), ...more }),
    start(args: readonly string[], more: Environment = {}): RunningCli {
      const cli = startCli(args, folder.path, { ...environment(), ...more })
      running.add(cli)
      return cli
    },
    async createApp(targetUrl: string): Promise<App> {
      const response = await fetch(`${relay.url}/apps`, {
        method: 'POST',
        headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({ targetUrl }),
      })
      return (await response.json()) as App
    },
    async post(path: string, body: string): Promise<void> {
      const response = await fetch(`${relay.url}${path}`, { method: 'POST', body })
      if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
    },
    killRelay: () => relay.kill(),
    stopRelay: () => relay.stop(),
    async startRelay(): Promise<void> {
      relay = await start()
    },
    async [Symbol.asyncDispose]() {
      for (const cli of running) await cli.end('SIGKILL')
      await relay.kill()
      folder[Symbol.dispose]()
    },
  }
  return floor
}
