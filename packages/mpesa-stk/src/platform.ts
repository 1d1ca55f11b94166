import { randomBytes } from 'node:crypto'
import type { Clock, Logger, Random } from './core/ports.ts'

/** The machine's own time and randomness: what core takes as ports. */
export const systemClock: Clock = {
  now: () => new Date(),
  sleep: durationMs => new Promise(resolve => setTimeout(resolve, durationMs)),
}

const poolBytes = 4_096
let pool = Buffer.alloc(0)

/** Each byte once. Fetched by the page, because to ask for sixteen costs as much as to ask for thousands. */
export const systemRandom: Random = length => {
  if (length > pool.length) pool = randomBytes(Math.max(poolBytes, length))
  const taken = pool.subarray(0, length)
  pool = pool.subarray(length)
  return taken
}

/** Warnings and errors as JSON lines on stderr. */
export const stderrLogger: Logger = {
  info: () => {},
  warn: (fields, message) => write('warn', fields, message),
  error: (fields, message) => write('error', fields, message),
}

function write(level: string, fields: Readonly<Record<string, unknown>>, message: string): void {
  console.error(JSON.stringify({ level, time: new Date().toISOString(), message, ...fields }))
}
