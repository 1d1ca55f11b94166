import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { repository, type Workspace, workspaces } from './workspaces.ts'

// Every workspace with a build script, each one even when another failed.

function build({ folder, manifest }: Workspace): boolean {
  const where = relative(repository, folder)
  if (!existsSync(join(folder, 'src/index.ts'))) {
    console.error(`${where}: there is no src/index.ts, so there is nothing to build`)
    return false
  }
  console.log(`${where}: npm run build`)
  const done = spawnSync('npm', ['run', 'build', '--silent', '--workspace', manifest.name], {
    cwd: repository,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (done.status === 0) return true
  console.error(`${where}: the build failed`)
  return false
}

const results = workspaces()
  .filter(({ manifest }) => manifest.scripts?.['build'])
  .map(build)
process.exitCode = results.every(Boolean) ? 0 : 1
