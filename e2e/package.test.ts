import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { installPacked, namesExportedTo, type PackedPackage, pack, strayFiles } from '../scripts/check/pack.ts'
import { stagePackages } from '../scripts/check/stage.ts'
import { exportedSubpaths, type Manifest, publishedPackages, repository } from '../scripts/check/workspaces.ts'

// What `npm publish` would send, built from this source, unpacked where a stranger has it: outside of the repository,
// with real dependencies beside it and without our private `@mpesa-stk/source` condition.

const packages = publishedPackages().map(workspace => ({ ...workspace, name: workspace.manifest.name }))

let folder: string
let stranger: string
const packed = new Map<string, PackedPackage>()

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-package-'))
  const stage = join(folder, 'stage')
  stranger = join(folder, 'stranger')
  for (const made of [stage, stranger]) mkdirSync(made)
  stagePackages(stage)
  for (const workspace of publishedPackages(stage)) {
    // A package of committed files alone has nothing to build.
    if (isBuilt(workspace.manifest)) {
      run(join(repository, 'node_modules/.bin/tsdown'), ['--logLevel', 'warn'], workspace.folder)
    }
    packed.set(workspace.manifest.name, pack(workspace, folder))
  }
  installPacked([...packed.values()], stranger)
}, 120_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.for(packages)('$name as a stranger gets it', ({ name, manifest }) => {
  const subpaths = exportedSubpaths(manifest)

  test(`every subpath loads by import and by require: ${subpaths.join(', ')}`, () => {
    const imported = namesExportedTo(stranger, subpaths, 'import')
    expect(imported).toHaveLength(subpaths.length)
    for (const names of imported) expect(names).not.toEqual([])
    expect(namesExportedTo(stranger, subpaths, 'require')).toEqual(imported)
  })

  test('holds the built code and no source, test or configuration', () => {
    const files = packed.get(name)?.files ?? []
    expect(files.some(file => file.startsWith('dist/'))).toBe(isBuilt(manifest))
    expect(strayFiles(files)).toEqual([])
  })

  test('every file that its package.json names is in it, except behind our private condition', () => {
    const paths = pathsIn({ main: manifest.exports, bin: manifest.bin })
    const home = join(stranger, 'node_modules', name)
    expect(paths.filter(path => !existsSync(join(home, path)))).toEqual([])
  })

  if (!manifest.bin) return
  test('its commands run', () => {
    for (const path of Object.values(manifest.bin ?? {})) {
      const program = join(stranger, 'node_modules', name, path)
      expect(readFileSync(program, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
      // Started directly: that needs the executable bit, which the tarball has to carry.
      expect(run(program, ['--help'], stranger)).toMatch(/usage/i)
    }
  })
})

function isBuilt(manifest: Manifest): boolean {
  return manifest.scripts?.['build'] !== undefined
}

/** Every `./path` in an exports map or a bin map. */
function pathsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => (key === '@mpesa-stk/source' ? [] : pathsIn(inner)))
}

function run(program: string, args: string[], cwd: string): string {
  const done = spawnSync(program, args, { cwd, encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`${program}: ${done.error?.message ?? `${done.stdout}${done.stderr}`}`)
  return done.stdout
}
