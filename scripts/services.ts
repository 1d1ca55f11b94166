import { parseArgs } from 'node:util'
import { howToInstall, installPackages } from './services/apt.ts'
import {
  findCaddy,
  findChromium,
  findCurl,
  findNginx,
  findOpenssl,
  findPostgresBin,
  findRedisServer,
  findSqlite,
} from './services/binaries.ts'
import { dataFolder } from './services/data-folder.ts'
import { startPostgres, stopPostgres } from './services/postgres.ts'
import { probePostgres, probeRedis } from './services/probe.ts'
import { isSameProcess } from './services/process-identity.ts'
import { startRedis, stopRedis } from './services/redis.ts'
import { type RunningService, readRegistry, servicesFolder, withLock, writeRegistry } from './services/registry.ts'
import { serviceUser } from './services/service-user.ts'

const help = `npm run services -- start | stop | status | install [--json] [--dry-run]

  start     a private PostgreSQL and Redis for the tests, on free ports of 127.0.0.1; installs them when absent
  stop      ends what start started, and nothing else
  status    what runs, and where
  install   installs what is absent of PostgreSQL, Redis, Chromium, curl, OpenSSL, sqlite3, nginx and Caddy
            (Debian, root or sudo); starts nothing itself; the packages of nginx and Caddy do, on port 80, where systemd runs

  --json      the answer as JSON on stdout
  --dry-run   with start or install: says what would be done

Data lives in .services/ (ignored by git). To start afresh: stop, then delete that folder.`

type Answer = { postgres: State; redis: State }
type State = { state: 'running' | 'stopped'; url?: string; pid?: number; version?: string; did?: string }

const programs = [
  { name: 'PostgreSQL', debianPackage: 'postgresql', find: () => findPostgresBin(), starts: true },
  { name: 'Redis', debianPackage: 'redis-server', find: () => findRedisServer(), starts: true },
  { name: 'Chromium', debianPackage: 'chromium', find: () => findChromium(), starts: false },
  { name: 'curl', debianPackage: 'curl', find: () => findCurl(), starts: false },
  { name: 'OpenSSL', debianPackage: 'openssl', find: () => findOpenssl(), starts: false },
  { name: 'sqlite3', debianPackage: 'sqlite3', find: () => findSqlite(), starts: false },
  { name: 'nginx', debianPackage: 'nginx', find: () => findNginx(), starts: false },
  { name: 'Caddy', debianPackage: 'caddy', find: () => findCaddy(), starts: false },
]

async function start(dryRun: boolean): Promise<Answer> {
  if (dryRun) return sayWhatIsMissing(programs.filter(program => program.starts)).then(status)
  return withLock(async () => {
    const before = readRegistry()
    install(programs.filter(program => program.starts))
    const bin = findPostgresBin()
    const redisServer = findRedisServer()
    if (!bin || !redisServer) throw new Error(howToInstall(['postgresql', 'redis-server']))
    const user = serviceUser()
    const folder = dataFolder(servicesFolder, before.dataFolder, user)
    // Remembered before anything runs: whoever is killed from here on leaves servers that the next start finds.
    writeRegistry({ ...before, dataFolder: folder })
    const postgres = await startPostgres({ bin, folder, user, preferredPort: before.postgres?.port })
    writeRegistry({ ...before, dataFolder: folder, postgres: postgres.service })
    const redis = await startRedis({ program: redisServer, folder, user, preferredPort: before.redis?.port })
    writeRegistry({ dataFolder: folder, postgres: postgres.service, redis: redis.service })
    return {
      postgres: describe(postgres.service, postgres.did),
      redis: describe(redis.service, redis.did),
    }
  })
}

function stop(): Promise<Answer> {
  return withLock(async () => {
    const { dataFolder: folder, postgres, redis } = readRegistry()
    const ended = {
      postgres: postgres ? await stopPostgres(postgres) : 'was not running',
      redis: redis ? await stopRedis(redis) : 'was not running',
    }
    // The ports stay on record: the next start prefers them, so a noted URL goes on working.
    writeRegistry({ ...(folder && { dataFolder: folder }), ...(postgres && { postgres }), ...(redis && { redis }) })
    return {
      postgres: { state: 'stopped', did: ended.postgres },
      redis: { state: 'stopped', did: ended.redis },
    }
  })
}

async function status(): Promise<Answer> {
  const { postgres, redis } = readRegistry()
  return {
    postgres: await stateOf(postgres, probePostgres),
    redis: await stateOf(redis, probeRedis),
  }
}

function install(wanted: typeof programs): void {
  const missing = wanted.filter(program => !program.find())
  if (missing.length > 0) installPackages(missing.map(program => program.debianPackage))
}

async function sayWhatIsMissing(wanted: typeof programs): Promise<void> {
  for (const program of wanted) {
    const found = program.find()
    console.error(
      found ? `${program.name}: ${found}` : `${program.name}: absent, would install ${program.debianPackage}`,
    )
  }
}

/** Running means: it is the process that was recorded, and it answers. */
async function stateOf(service: RunningService | undefined, probe: typeof probePostgres): Promise<State> {
  if (!service || !isSameProcess(service) || (await probe(service.url))) return { state: 'stopped' }
  return describe(service)
}

function describe(service: RunningService, did?: string): State {
  const { url, pid, version } = service
  return { state: 'running', url, pid, version, ...(did && { did }) }
}

function print(answer: Answer, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(answer, null, 2))
    return
  }
  for (const [name, state] of [['PostgreSQL', answer.postgres] as const, ['Redis', answer.redis] as const]) {
    const where = state.url ? `  ${state.url}  (version ${state.version}, pid ${state.pid})` : ''
    console.log(`${name.padEnd(10)}  ${(state.did ?? state.state).padEnd(15)}${where}`)
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean' }, 'dry-run': { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  })
  const json = values.json ?? false
  const dryRun = values['dry-run'] ?? false
  const [command, ...rest] = positionals
  if (values.help) console.log(help)
  else if (rest.length > 0) throw new Error(`one command at a time, got: ${positionals.join(' ')}\n\n${help}`)
  else if (command === 'start') print(await start(dryRun), json)
  else if (command === 'stop') print(await stop(), json)
  else if (command === 'status') print(await status(), json)
  else if (command === 'install') await (dryRun ? sayWhatIsMissing(programs) : install(programs))
  else throw new Error(`${command ? `unknown command: ${command}` : 'which command?'}\n\n${help}`)
}

try {
  await main()
} catch (error) {
  console.error(`services: ${error instanceof Error ? error.message : String(error)}`)
  if (error instanceof Error && error.cause instanceof Error) console.error(error.cause.message)
  process.exitCode = 1
}
