import type { RelayEvent } from './relay-event.ts'

/**
 * A place in an app's log: every event of the app stands in it once, in the order in which they were committed, by whichever
 * relay. `epoch` tells one log from another with the same name, such as that of a database that was cleared.
 */
export type LogPlace = { readonly epoch: string; readonly position: number }

/**
 * A place that a reader has come to. `eventId` is what he read there, null where he read nothing: a store that was restored
 * from a backup gives positions away again, and only the event tells that its log is not the one that he read.
 */
export type LogCursor = LogPlace & { readonly eventId: string | null }

/** How an app's log stands; and how many events it took on the store's day, which is Nairobi's. */
export type LogHead = LogPlace & { readonly eventsToday: number }

/** `body` is null for who did not ask for it. */
export type LogEntry = { readonly position: number; readonly event: RelayEvent; readonly body: Uint8Array | null }

/** How much of a log is read at once. */
export type LogSlice = { readonly after: number; readonly limit: number; readonly withBodies: boolean }

/** Before the first entry of a log that has not begun. */
export const logBeginning: LogCursor = { epoch: '-', position: 0, eventId: null }

export function formatCursor({ epoch, position, eventId }: LogCursor): string {
  return [epoch, position, ...(eventId === null ? [] : [eventId])].join('.')
}

/** Null for what is no cursor. */
export function parseCursor(text: string): LogCursor | null {
  const match = /^([\w-]{1,100})\.(\d{1,15})(?:\.([\w-]{1,50}))?$/.exec(text)
  const [, epoch = '', position = '', eventId = null] = match ?? []
  return match === null ? null : { epoch, position: Number(position), eventId }
}

/** After which position to go on reading, and whether something before that cannot be read any more. */
export type Resumption = { readonly after: number; readonly isGap: boolean }

/** Goes on after `cursor`; with one of another log, or of one that was longer, at the beginning. */
export function resume(cursor: LogCursor, head: LogPlace): Resumption {
  if (cursor.epoch === head.epoch && cursor.position <= head.position) return { after: cursor.position, isGap: false }
  return restart(cursor)
}

/** At the beginning: of what was read before, some may have been lost. */
export function restart(cursor: LogCursor): Resumption {
  return { after: 0, isGap: cursor.position > 0 }
}

/**
 * Whether the log is another one than the cursor's: at its place stands another event than was read there. Where none stands
 * any more, it was removed for its age, and what follows is what was not read yet.
 */
export function isOfAnother(cursor: LogCursor, entries: readonly LogEntry[]): boolean {
  const standing = entries.find(({ position }) => position === cursor.position)
  return cursor.eventId !== null && standing !== undefined && standing.event.id !== cursor.eventId
}

/** Nairobi's day, which is that of the till. */
export function dayOf(at: Date): string {
  return new Date(at.getTime() + 3 * 3_600_000).toISOString().slice(0, 10)
}

/** How a day stands against what an app may have of it. Null: as much as comes. */
export type Quota = { readonly perDay: number | null; readonly usedToday: number; readonly isOver: boolean }

export function judgeQuota(perDay: number | null, head: LogHead | null): Quota {
  const usedToday = head?.eventsToday ?? 0
  return { perDay, usedToday, isOver: perDay !== null && usedToday > perDay }
}
