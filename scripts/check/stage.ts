import { copyFileSync, cpSync, existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { publishedPackages, repository } from './workspaces.ts'

const notCopied = new Set(['node_modules', 'dist', 'coverage'])

/**
 * Copies the published packages to a folder where they can be built without touching this checkout's dist folders,
 * which other processes may be using. What is installed is shared by links.
 */
export function stagePackages(folder: string): void {
  for (const name of ['package.json', 'tsconfig.base.json']) copyFileSync(join(repository, name), join(folder, name))
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
  for (const { folder: from } of publishedPackages()) {
    const to = join(folder, relative(repository, from))
    mkdirSync(to, { recursive: true })
    cpSync(from, to, { recursive: true, filter: path => !notCopied.has(basename(path)) })
    const own = join(from, 'node_modules')
    if (existsSync(own)) symlinkSync(own, join(to, 'node_modules'))
  }
}
