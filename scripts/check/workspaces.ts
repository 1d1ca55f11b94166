import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repository = fileURLToPath(new URL('../..', import.meta.url))

export type Manifest = {
  name: string
  version: string
  private?: boolean
  workspaces?: string[]
  bin?: Record<string, string>
  scripts?: Record<string, string>
  exports?: Record<string, unknown>
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
}

export type Workspace = { folder: string; manifest: Manifest }

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

/** The workspaces in the order of the root package.json, which is also the order to build them in. */
export function workspaces(root: string = repository): Workspace[] {
  return (readManifest(root).workspaces ?? [])
    .map(path => join(root, path))
    .filter(folder => existsSync(join(folder, 'package.json')))
    .map(folder => ({ folder, manifest: readManifest(folder) }))
}

export function publishedPackages(root: string = repository): Workspace[] {
  return workspaces(root).filter(({ manifest }) => !manifest.private)
}

/** What a package lets others import: `mpesa-stk`, `mpesa-stk/testing` and so on. Its package.json is data, not code. */
export function exportedSubpaths(manifest: Manifest): string[] {
  return Object.keys(manifest.exports ?? {})
    .filter(key => key !== './package.json')
    .map(key => manifest.name + key.slice(1))
}
