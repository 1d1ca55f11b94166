import { spawnSync } from 'node:child_process'
import { isExecutable } from './binaries.ts'

/** How this process can install Debian packages: directly, through sudo without a password, or not at all. */
function aptCommand(): string[] | undefined {
  if (!isExecutable('/usr/bin/apt-get')) return undefined
  if (process.getuid?.() === 0) return ['apt-get']
  const sudo = spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' })
  return sudo.status === 0 ? ['sudo', '-n', 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get'] : undefined
}

/** Installs Debian packages, or says what a person has to install. */
export function installPackages(packages: readonly string[]): void {
  const apt = aptCommand()
  if (!apt) throw new Error(howToInstall(packages))
  run([...apt, 'update', '-q'])
  run([...apt, 'install', '-y', '-q', '--no-install-recommends', ...packages])
}

export function howToInstall(packages: readonly string[]): string {
  return (
    `not installed, and this user cannot install: ${packages.join(', ')}\n` +
    `on Debian or Ubuntu: sudo apt-get install ${packages.join(' ')}\n` +
    'elsewhere: install PostgreSQL 14 or newer and Redis so that initdb, pg_ctl and redis-server are in the PATH'
  )
}

function run(command: readonly string[]): void {
  const [program = '', ...args] = command
  console.error(`> ${command.join(' ')}`)
  // To stderr, because stdout may be read by a program (`--json`).
  const done = spawnSync(program, args, {
    stdio: ['ignore', process.stderr, process.stderr],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  if (done.status !== 0) throw new Error(`failed: ${command.join(' ')} (its own message is above)`)
}
