import type { Logger } from '../../core/ports.ts'

/** What a connection needs beside the hub. */
export type StreamTools = {
  readonly now: () => Date
  readonly monotonicMs: () => number
  /** From 0 to 1. */
  readonly chance: () => number
  readonly logger: Logger
}
