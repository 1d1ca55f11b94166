import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/**
 * The modules that pages load to listen: by their names, as JavaScript. `npm start` runs from source with nothing built before,
 * and a browser reads no TypeScript; so this is done when a page first asks. A shop of your own lets its bundler do it.
 */
export async function bundleLive(): Promise<ReadonlyMap<string, string>> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('live.ts', import.meta.url))],
    bundle: true,
    // The ways that are needed only where WebSockets are blocked are a file of their own, loaded when they are.
    splitting: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['@mpesa-stk/source'],
    outdir: '/',
    write: false,
    logLevel: 'silent',
  })
  return new Map(outputFiles.map(({ path, text }) => [path.slice(path.lastIndexOf('/') + 1), text]))
}
