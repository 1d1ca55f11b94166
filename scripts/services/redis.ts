import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { endProcess, startInBackground, untilItAnswers } from './await-server.ts'
import { freePort } from './free-port.ts'
import { askRedis, probeRedis } from './probe.ts'
import { identify } from './process-identity.ts'
import type { RunningService, Started } from './registry.ts'
import type { ServiceUser } from './service-user.ts'

type Options = { program: string; folder: string; user: ServiceUser | undefined; preferredPort: number | undefined }

export async function startRedis(options: Options): Promise<Started> {
  const folder = join(options.folder, 'redis')
  const running = await findRunning(folder)
  if (running) return { service: running, did: 'already ran' }
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, 0o700)
  if (options.user) chownSync(folder, options.user.uid, options.user.gid)
  const logFile = join(options.folder, 'redis.log')
  // Between finding a free port and listening on it, another program may take it.
  for (let triesLeft = 3; ; triesLeft -= 1) {
    const port = await freePort(options.preferredPort)
    writeSettings(folder, port, options.user)
    const child = startInBackground({
      program: options.program,
      args: [settingsFile(folder)],
      cwd: folder,
      logFile,
      user: options.user,
    })
    try {
      await untilItAnswers(child, () => probeRedis(urlOf(port)), logFile)
      const found = await findRunning(folder)
      if (!found) throw new Error(`another Redis answers on port ${port}`)
      return { service: found, did: 'started' }
    } catch (error) {
      if (child.pid !== undefined) await endProcess(identify(child.pid), 'SIGTERM', 'SIGKILL')
      if (triesLeft === 1) throw new Error(`Redis did not start (log: ${logFile})`, { cause: error })
    }
  }
}

export function stopRedis(service: RunningService): Promise<'ended' | 'was not running'> {
  return endProcess(service, 'SIGTERM', 'SIGKILL')
}

function urlOf(port: number): string {
  return `redis://127.0.0.1:${port}`
}

function settingsFile(folder: string): string {
  return join(folder, 'redis.conf')
}

/** Ours is the Redis that answers on the port of our settings and says that it was started from them. */
async function findRunning(folder: string): Promise<RunningService | undefined> {
  if (!existsSync(settingsFile(folder))) return undefined
  const port = Number(/^port (\d+)$/m.exec(readFileSync(settingsFile(folder), 'utf8'))?.[1])
  if (!port) return undefined
  try {
    const info = await askRedis(urlOf(port), 'INFO server')
    if (infoField(info, 'config_file') !== settingsFile(folder)) return undefined
    const pid = Number(infoField(info, 'process_id'))
    return { ...identify(pid), port, url: urlOf(port), version: infoField(info, 'redis_version') ?? 'unknown' }
  } catch {
    return undefined
  }
}

function infoField(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]?.trim()
}

/** Redis holds nothing that must survive here, so it writes nothing to disk. */
function writeSettings(folder: string, port: number, user: ServiceUser | undefined): void {
  const file = settingsFile(folder)
  writeFileSync(
    file,
    `# Written by scripts/services/redis.ts at every start.
bind 127.0.0.1
protected-mode yes
port ${port}
dir ${JSON.stringify(folder)}
daemonize no
save ""
appendonly no
`,
    { mode: 0o600 },
  )
  if (user) chownSync(file, user.uid, user.gid)
}
