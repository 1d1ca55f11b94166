import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const oldestPostgres = 14

type Search = { env?: NodeJS.ProcessEnv; postgresRoot?: string; fixedPaths?: readonly string[] }

/** The folder with PostgreSQL's `initdb` and `pg_ctl`. Debian keeps them out of the PATH, one folder per version. */
export function findPostgresBin(search: Search = {}): string | undefined {
  const { env = process.env, postgresRoot = '/usr/lib/postgresql' } = search
  const versions = existsSync(postgresRoot) ? readdirSync(postgresRoot) : []
  const debian = versions
    .filter(name => Number(name) >= oldestPostgres)
    .sort((a, b) => Number(b) - Number(a))
    .map(version => join(postgresRoot, version, 'bin'))
  return [...debian, ...pathFolders(env)].find(
    folder => isExecutable(join(folder, 'initdb')) && isExecutable(join(folder, 'pg_ctl')),
  )
}

export function findRedisServer(search: Search = {}): string | undefined {
  const { env = process.env, fixedPaths = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'] } = search
  return findProgram(['redis-server'], env, fixedPaths)
}

export function findCurl(search: Search = {}): string | undefined {
  const { env = process.env, fixedPaths = ['/usr/bin/curl'] } = search
  return findProgram(['curl'], env, fixedPaths)
}

/** Debian keeps it out of the PATH of whoever is not root. */
export function findNginx(search: Search = {}): string | undefined {
  const { env = process.env, fixedPaths = ['/usr/sbin/nginx'] } = search
  return findProgram(['nginx'], env, fixedPaths)
}

export function findCaddy(search: Search = {}): string | undefined {
  const { env = process.env, fixedPaths = ['/usr/bin/caddy'] } = search
  return findProgram(['caddy'], env, fixedPaths)
}

export function findSqlite(search: Search = {}): string | undefined {
  const { env = process.env, fixedPaths = ['/usr/bin/sqlite3'] } = search
  return findProgram(['sqlite3'], env, fixedPaths)
}

export function findOpenssl(search: Search = {}): string | undefined {
  const { env = process.env, fixedPaths = ['/usr/bin/openssl'] } = search
  return findProgram(['openssl'], env, fixedPaths)
}

export function findChromium(search: Search = {}): string | undefined {
  const {
    env = process.env,
    fixedPaths = [
      '/usr/bin/chromium',
      '/usr/bin/chromium-browser',
      '/usr/bin/google-chrome',
      '/Applications/Chromium.app/Contents/MacOS/Chromium',
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    ],
  } = search
  return findProgram(['chromium', 'chromium-browser', 'google-chrome'], env, fixedPaths)
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function findProgram(
  names: readonly string[],
  env: NodeJS.ProcessEnv,
  fixedPaths: readonly string[],
): string | undefined {
  const inPath = names.flatMap(name => pathFolders(env).map(folder => join(folder, name)))
  return [...inPath, ...fixedPaths].find(isExecutable)
}

function pathFolders(env: NodeJS.ProcessEnv): string[] {
  return (env['PATH'] ?? '').split(delimiter).filter(Boolean)
}
