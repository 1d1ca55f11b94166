import { randomBytes } from 'node:crypto'
import type { Clock, Logger, Random } from './core/ports.ts'

/** The machine's own time and randomness: what core takes as ports. */
export const systemClock: Clock = {
  now: () => new Date(),
  sleep: durationMs => new Promise(resolve => setTimeout(resolve, durationMs)),
}

export const systemRandom: Random = length => randomBytes(length)

/** Warnings and errors as JSON lines on stderr. */
export const stderrLogger: Logger = {
  info: () => {},
  warn: (fields, message) => write('warn', fields, message),
  error: (fields, message) => write('error', fields, message),
}

function write(level: string, fields: Readonly<Record<string, unknown>>, message: string): void {
  console.error(JSON.stringify({ level, time: new Date().toISOString(), message, ...fields }))
}
