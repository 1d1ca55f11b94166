import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pack } from './pack.ts'
import { publishedPackages, repository, type Workspace } from './workspaces.ts'

/** What looks at a packed tarball, before a stranger does. */
const judges = [
  { program: 'publint', args: ['run', '--strict'] },
  // Profile node16: resolution of Node 10 knows no exports map, and every Node that we support does.
  { program: 'attw', args: ['--profile', 'node16', '--no-emoji', '--no-definitely-typed', '--format', 'ascii'] },
]

function judge(workspace: Workspace, folder: string): boolean {
  console.log(`\n${workspace.manifest.name}`)
  try {
    const { tarball } = pack(workspace, folder)
    return judges.map(({ program, args }) => ask(program, [...args, tarball])).every(Boolean)
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    return false
  }
}

function ask(program: string, args: string[]): boolean {
  const asked = spawnSync(join(repository, 'node_modules/.bin', program), args, {
    cwd: repository,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return asked.status === 0
}

const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-exports-'))
try {
  const results = publishedPackages().map(workspace => judge(workspace, folder))
  process.exitCode = results.every(Boolean) ? 0 : 1
} finally {
  rmSync(folder, { recursive: true })
}
