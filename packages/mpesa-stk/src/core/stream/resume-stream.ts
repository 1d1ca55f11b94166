import { type LogCursor, logBeginning } from '../deliver/event-log.ts'
import type { StreamHead } from './stream-storage.ts'

/** Why something between a cursor and what follows cannot be streamed any more. */
export type GapReason = 'aged' | 'restored' | 'cleared'

/** After which position to go on, and what is missing before it. */
export type StreamResumption = { readonly after: number; readonly gap: GapReason | null }

/** The log's epoch, and how often it was cleared: a cursor of before is told from one of after. */
export function streamEpoch({ epoch, clears }: Pick<StreamHead, 'epoch' | 'clears'>): string {
  return clears === 0 ? epoch : `${epoch}-${clears}`
}

/**
 * Where a subscriber goes on.
 *
 * @param cursor null for one that begins at the beginning: he misses nothing
 * @param agedFloor the position of the last entry that is too old to be streamed
 * @param standing the id of the entry that stands at the cursor's position; null where none does
 */
export function resumeStream(
  cursor: LogCursor | null,
  head: StreamHead,
  agedFloor: number,
  standing: string | null,
): StreamResumption {
  const floor = Math.max(head.floor, agedFloor)
  if (cursor === null) return { after: floor, gap: null }
  // Of a log that had not begun: whatever came since is new to him.
  const isOfNone = cursor.epoch === logBeginning.epoch && cursor.position === 0
  if (!isOfNone && isOfAnotherLog(cursor, head, standing)) return { after: floor, gap: 'restored' }
  if (cursor.position < head.floor) return { after: floor, gap: 'cleared' }
  if (cursor.position < agedFloor) return { after: floor, gap: 'aged' }
  return { after: cursor.position, gap: null }
}

function isOfAnotherLog(cursor: LogCursor, head: StreamHead, standing: string | null): boolean {
  const clears = clearsOf(cursor.epoch, head.epoch)
  if (clears === null || clears > head.clears || cursor.position > head.position) return true
  return cursor.eventId !== null && standing !== null && standing !== cursor.eventId
}

/** How often the log had been cleared when this epoch was seen; null for that of another log. */
function clearsOf(seen: string, epoch: string): number | null {
  if (seen === epoch) return 0
  const count = seen.startsWith(`${epoch}-`) ? seen.slice(epoch.length + 1) : ''
  return /^[1-9]\d{0,8}$/.test(count) ? Number(count) : null
}
