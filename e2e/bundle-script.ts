import { mkdtempSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Inside the repository, so that what stays outside of the bundle is found. */
const folder = mkdtempSync(join(root, 'node_modules', '.mpesa-stk-e2e-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const bundled = new Map<string, Promise<string>>()

/**
 * One JavaScript file of a script and our sources behind it, for a process that is started often: to read the sources anew
 * took each two thirds of its life.
 */
export function bundleScript(script: URL): Promise<string> {
  const entry = fileURLToPath(script)
  const known = bundled.get(entry)
  if (known !== undefined) return known
  const outfile = join(folder, `${basename(entry, '.ts')}.mjs`)
  const made = build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@mpesa-stk/source'],
    plugins: [
      {
        name: 'packages-stay-outside',
        setup(building) {
          building.onResolve({ filter: /^[^./]/ }, ({ path }) =>
            path.startsWith('mpesa-stk') ? undefined : { path, external: true },
          )
        },
      },
    ],
    logLevel: 'error',
  }).then(() => outfile)
  bundled.set(entry, made)
  return made
}
