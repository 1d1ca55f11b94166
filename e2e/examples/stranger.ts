import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { installPacked, pack } from '../../scripts/check/pack.ts'
import { stagePackages } from '../../scripts/check/stage.ts'
import { publishedPackages, readManifest, repository } from '../../scripts/check/workspaces.ts'

/** Builds and packs the library from this source and unpacks it where somebody else has it; returns that folder. */
export function installForStranger(folder: string): string {
  const stage = join(folder, 'stage')
  const stranger = join(folder, 'stranger')
  for (const made of [stage, stranger]) mkdirSync(made)
  stagePackages(stage)
  const library = publishedPackages(stage).find(({ manifest }) => manifest.name === 'mpesa-stk')
  if (library === undefined) throw new Error('mpesa-stk is not among the published packages')
  const built = spawnSync(join(repository, 'node_modules/.bin/tsdown'), ['--logLevel', 'warn'], {
    cwd: library.folder,
    encoding: 'utf8',
  })
  if (built.status !== 0) throw new Error(`tsdown: ${built.error?.message ?? built.stdout + built.stderr}`)
  installPacked([pack(library, folder)], stranger)
  return stranger
}

/**
 * Copies an example of ours there, as somebody would. What it depends on beside us is a link to what is installed here, so
 * nothing is downloaded.
 */
export function copyExample(example: string, stranger: string, name: string): string {
  const home = join(stranger, name)
  const from = join(repository, 'examples', example)
  cpSync(from, home, { recursive: true, filter: path => !/^node_modules$|\.db/.test(basename(path)) })
  for (const dependency of Object.keys(readManifest(from).dependencies ?? {})) {
    const link = join(stranger, 'node_modules', dependency)
    if (existsSync(link)) continue
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(repository, 'node_modules', dependency), link)
  }
  return home
}
