import { fileURLToPath } from 'node:url'
import { Rolldown } from 'tsdown'

/** A page's script and what it loads later, by file name, as a bundler makes them of the client's source. */
export async function bundlePage(entry: URL): Promise<ReadonlyMap<string, string>> {
  const bundle = await Rolldown.rolldown({
    input: { page: fileURLToPath(entry) },
    platform: 'browser',
    resolve: { conditionNames: ['@mpesa-stk/source', 'import', 'browser', 'default'] },
    transform: { define: { 'process.env.NODE_ENV': '"development"' } },
    logLevel: 'silent',
  })
  const { output } = await bundle.generate({ format: 'esm', chunkFileNames: '[name].js', entryFileNames: '[name].js' })
  await bundle.close()
  return new Map(output.flatMap(file => (file.type === 'chunk' ? [[`/${file.fileName}`, file.code] as const] : [])))
}
