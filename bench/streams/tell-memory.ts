import { renameSync, writeFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** At each SIGUSR2 a server writes what it holds after a collection into the file that the environment names. */
export function tellMemory(): void {
  const file = process.env['BENCH_MEMORY_FILE'] ?? ''
  process.on('SIGUSR2', () => {
    // Twice: what the first one finalises the second one frees.
    collect()
    collect()
    // Renamed, so that nobody reads half of it.
    writeFileSync(`${file}.part`, JSON.stringify(process.memoryUsage()))
    renameSync(`${file}.part`, file)
  })
}
