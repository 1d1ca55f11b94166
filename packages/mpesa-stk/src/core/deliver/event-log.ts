import type { RelayEvent } from './relay-event.ts'

/**
 * A place in an app's log: every event of the app stands in it once, in the order in which they were committed, by whichever
 * relay. `epoch` tells one log from another with the same name, such as that of a database that was cleared.
 */
export type LogCursor = { readonly epoch: string; readonly position: number }

/** How an app's log stands; and how many events it took today, in Nairobi's days. */
export type LogHead = LogCursor & { readonly day: string; readonly eventsOfDay: number }

/** `body` is null for who did not ask for it. */
export type LogEntry = { readonly position: number; readonly event: RelayEvent; readonly body: Uint8Array | null }

/** How much of a log is read at once. */
export type LogSlice = { readonly after: number; readonly limit: number; readonly withBodies: boolean }

/** Before the first entry of a log that has not begun. */
export const logBeginning: LogCursor = { epoch: '-', position: 0 }

export function formatCursor({ epoch, position }: LogCursor): string {
  return `${epoch}.${position}`
}

/** Null for what is no cursor. */
export function parseCursor(text: string): LogCursor | null {
  const match = /^([\w-]{1,100})\.(\d{1,15})$/.exec(text)
  const [, epoch = '', position = ''] = match ?? []
  return match === null ? null : { epoch, position: Number(position) }
}

/**
 * Where to go on reading after `cursor`, and whether something before that cannot be read any more. A cursor of another log,
 * or of one that was longer (a restored backup), goes back to the beginning.
 */
export function resume(cursor: LogCursor, head: LogCursor): { readonly after: number; readonly isGap: boolean } {
  if (cursor.epoch === head.epoch && cursor.position <= head.position) return { after: cursor.position, isGap: false }
  return { after: 0, isGap: cursor.position > 0 }
}

/** Nairobi's day, which is that of the till. */
export function dayOf(at: Date): string {
  return new Date(at.getTime() + 3 * 3_600_000).toISOString().slice(0, 10)
}

/** How a day stands against what an app may have of it. Null: as much as comes. */
export type Quota = { readonly perDay: number | null; readonly usedToday: number; readonly isOver: boolean }

export function judgeQuota(perDay: number | null, head: LogHead | null, at: Date): Quota {
  const usedToday = head !== null && head.day === dayOf(at) ? head.eventsOfDay : 0
  return { perDay, usedToday, isOver: perDay !== null && usedToday > perDay }
}
