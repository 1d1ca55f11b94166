import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Manifest, publishedPackages, readManifest, repository, type Workspace } from './workspaces.ts'

export type PackedPackage = { manifest: Manifest; tarball: string; files: string[] }

/** Makes the very tarball that would be published. Needs no network. */
export function pack({ folder, manifest }: Workspace, destination: string): PackedPackage {
  if (manifest.scripts?.['build'] !== undefined && !existsSync(join(folder, 'dist'))) {
    throw new Error(`${manifest.name} is not built: npm run build --workspace ${manifest.name}`)
  }
  const answer = run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', destination], folder)
  const [packed] = JSON.parse(answer) as { filename: string; files: { path: string }[] }[]
  if (!packed) throw new Error(`npm pack said nothing about ${manifest.name}`)
  return { manifest, tarball: join(destination, packed.filename), files: packed.files.map(file => file.path) }
}

/**
 * Unpacks tarballs into a project of a stranger, `folder`, as npm would install them. Their dependencies are links to
 * what this repository has installed, so nothing is downloaded; our own packages are the unpacked ones.
 */
export function installPacked(packages: readonly PackedPackage[], folder: string, root: string = repository): void {
  const ours = new Set(publishedPackages(root).map(({ manifest }) => manifest.name))
  for (const { manifest, tarball } of packages) {
    const home = join(folder, 'node_modules', manifest.name)
    mkdirSync(home, { recursive: true })
    run('tar', ['-xzf', tarball, '-C', home, '--strip-components=1'], folder)
    for (const dependency of dependenciesOf(readManifest(home))) {
      if (!ours.has(dependency)) linkDependency(dependency, home, manifest.name, root)
    }
  }
}

function dependenciesOf(manifest: Manifest): string[] {
  return Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies })
}

function linkDependency(dependency: string, home: string, owner: string, root: string): void {
  const folderOfOwner = publishedPackages(root).find(({ manifest }) => manifest.name === owner)?.folder ?? root
  const candidates = [folderOfOwner, root].map(folder => join(folder, 'node_modules', dependency))
  const installed = candidates.find(existsSync)
  // An optional or peer dependency may be absent here as at a stranger's.
  if (!installed) return
  const link = join(home, 'node_modules', dependency)
  mkdirSync(dirname(link), { recursive: true })
  symlinkSync(installed, link)
}

/** The names that each subpath exports, loaded by a Node that has no condition of ours. Throws when one does not load. */
export function namesExportedTo(folder: string, subpaths: readonly string[], by: 'import' | 'require'): string[][] {
  const load = by === 'import' ? 'await import(subpath)' : 'require(subpath)'
  const program = `const all = []
    for (const subpath of ${JSON.stringify(subpaths)}) {
      let loaded
      try { loaded = ${load} } catch (error) { console.error(subpath + ': ' + error.stack); process.exit(1) }
      all.push(Object.keys(loaded).filter(name => name !== 'default' && name !== 'module.exports').sort())
    }
    console.log(JSON.stringify(all))`
  const { NODE_OPTIONS: _, ...env } = process.env
  const inputType = by === 'import' ? 'module' : 'commonjs'
  return JSON.parse(run(process.execPath, [`--input-type=${inputType}`, '--eval', program], folder, env)) as string[][]
}

/** Files of a tarball that a stranger should not get. */
export function strayFiles(files: readonly string[]): string[] {
  return files.filter(file => /(^|\/)src\/|\.test\.|\.test-d\.|(^|\/)(tsconfig|tsdown\.config)/.test(file))
}

function run(program: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = process.env): string {
  const done = spawnSync(program, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  if (done.status === 0) return done.stdout
  throw new Error(`${program} ${args[0]} failed: ${done.error?.message ?? done.stderr.trim()}`)
}
