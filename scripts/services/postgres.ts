import { spawnSync } from 'node:child_process'
import { chownSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { endProcess, startInBackground, untilItAnswers } from './await-server.ts'
import { freePort } from './free-port.ts'
import { probePostgres } from './probe.ts'
import { commandLineOf, identify, isAlive } from './process-identity.ts'
import type { RunningService, Started } from './registry.ts'
import { asUser, type ServiceUser } from './service-user.ts'

const admin = 'postgres'
// An ordinary role: a store that needs a superuser would fail at most merchants.
const role = 'mpesa'
const database = 'mpesa_test'

type Options = { bin: string; folder: string; user: ServiceUser | undefined; preferredPort: number | undefined }

export async function startPostgres(options: Options): Promise<Started> {
  const data = join(options.folder, 'postgres')
  const running = findRunning(data)
  if (running && !(await probePostgres(urlOf(admin, running.port, 'postgres'))))
    return { service: await finish(running), did: 'already ran' }
  createCluster(data, options)
  const logFile = join(options.folder, 'postgres.log')
  // Between finding a free port and listening on it, another program may take it.
  for (let triesLeft = 3; ; triesLeft -= 1) {
    const port = await freePort(options.preferredPort)
    writeSettings(data, port, options)
    const child = startInBackground({
      program: join(options.bin, 'postgres'),
      args: ['-D', data],
      cwd: data,
      logFile,
      user: options.user,
    })
    try {
      await untilItAnswers(child, () => probePostgres(urlOf(admin, port, 'postgres')), logFile)
      if (child.pid === undefined) throw new Error('it has no pid')
      return { service: await finish({ pid: child.pid, port }), did: 'started' }
    } catch (error) {
      if (child.pid !== undefined) await endProcess(identify(child.pid), 'SIGINT', 'SIGQUIT')
      if (triesLeft === 1) throw new Error(`PostgreSQL did not start (log: ${logFile})`, { cause: error })
    }
  }
}

/** SIGINT is PostgreSQL's fast shutdown: open transactions roll back, everything committed is on disk. */
export function stopPostgres(service: RunningService): Promise<'ended' | 'was not running'> {
  return endProcess(service, 'SIGINT', 'SIGQUIT')
}

function urlOf(user: string, port: number, name: string): string {
  return `postgres://${user}@127.0.0.1:${port}/${name}`
}

/** The server that PostgreSQL's own pid file names, if it lives. A pid that now is another program's is forgotten. */
function findRunning(data: string): { pid: number; port: number } | undefined {
  const pidFile = join(data, 'postmaster.pid')
  if (!existsSync(pidFile)) return undefined
  const lines = readFileSync(pidFile, 'utf8').split('\n')
  const pid = Number(lines[0])
  const port = Number(lines[3])
  const words = commandLineOf(pid)
  if (isAlive(pid) && (words.length === 0 || words.includes(data))) return { pid, port }
  rmSync(pidFile)
  return undefined
}

/** Makes the cluster beside its final name and renames it when whole: a kill half-way leaves no half cluster. */
function createCluster(data: string, { bin, folder, user }: Options): void {
  const major = majorOf(bin)
  if (existsSync(join(data, 'PG_VERSION'))) {
    const made = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim()
    if (made === major) return
    // A cluster is only readable by its own major version. It holds nothing but test data.
    console.error(`the cluster was made by PostgreSQL ${made}, this is ${major}: making a new one`)
  }
  // With our pid in its name: the initdb of a killed start may still be writing into its own.
  const partial = `${data}.partial-${process.pid}`
  for (const name of readdirSync(folder)) {
    if (name.startsWith('postgres.partial-')) rmSync(join(folder, name), { recursive: true, force: true })
  }
  rmSync(data, { recursive: true, force: true })
  const made = spawnSync(
    join(bin, 'initdb'),
    ['-D', partial, '-U', admin, '--encoding=UTF8', '--no-locale', '--auth-host=trust', '--auth-local=peer'],
    { ...asUser(user), cwd: '/', encoding: 'utf8' },
  )
  if (made.status !== 0) throw new Error(`initdb failed: ${made.error?.message ?? made.stderr.trim()}`)
  renameSync(partial, data)
}

function majorOf(bin: string): string {
  const answer = spawnSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' })
  const major = /(\d+)/.exec(answer.stdout ?? '')?.[1]
  if (!major) throw new Error(`${join(bin, 'postgres')} --version did not answer with a version`)
  return major
}

/** The whole configuration, so that nothing depends on the distribution's defaults. fsync stays on: P1 is tested for real. */
function writeSettings(data: string, port: number, { folder, user }: Options): void {
  const sockets = join(folder, 'sockets')
  makeFolder(sockets, user)
  const file = join(data, 'postgresql.conf')
  writeFileSync(
    file,
    `# Written by scripts/services/postgres.ts at every start.
listen_addresses = '127.0.0.1'
port = ${port}
unix_socket_directories = '${sockets.replaceAll("'", "''")}'
max_connections = 200
fsync = on
synchronous_commit = on
full_page_writes = on
shared_buffers = 128MB
timezone = 'UTC'
`,
    { mode: 0o600 },
  )
  if (user) chownSync(file, user.uid, user.gid)
}

function makeFolder(folder: string, user: ServiceUser | undefined): void {
  spawnSync('mkdir', ['-p', '-m', '700', folder], { ...asUser(user), cwd: '/' })
}

/** Makes the role and the database of the tests where they are missing, and describes the server. */
async function finish(server: { pid: number; port: number }): Promise<RunningService> {
  const client = new pg.Client({ connectionString: urlOf(admin, server.port, 'postgres') })
  await client.connect()
  try {
    const roles = await client.query('select 1 from pg_roles where rolname = $1', [role])
    if (roles.rowCount === 0) await client.query(`create role ${role} login createdb`)
    const databases = await client.query('select 1 from pg_database where datname = $1', [database])
    if (databases.rowCount === 0) await client.query(`create database ${database} owner ${role}`)
    const answer = await client.query<{ server_version: string }>('show server_version')
    const version = answer.rows[0]?.server_version ?? 'unknown'
    return { ...identify(server.pid), port: server.port, url: urlOf(role, server.port, database), version }
  } finally {
    await client.end()
  }
}
