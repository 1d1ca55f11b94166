import type { NewRelayEvent } from './relay-event.ts'

/** A batch without copies, in the order of its keys, and where each of the events that came is found in it. */
export type MergedBatch = {
  readonly events: readonly NewRelayEvent[]
  /** For each event that came: its place in `events`, and whether it is the one that stands there. */
  readonly places: readonly { readonly index: number; readonly isFirst: boolean }[]
}

/**
 * Merges the copies in a batch. Of events about the same that say different things each stays, and those that came later
 * know the first.
 */
export function mergeCopies(came: readonly NewRelayEvent[]): MergedBatch {
  const byKey = new Map<string, NewRelayEvent>()
  const firstOfSubject = new Map<string, string>()
  const keys = came.map(event => {
    const { appId, kind, businessKey, result, id, copies } = event
    // Ids have no NUL in them.
    const subject = `${appId}\0${kind}\0${businessKey}`
    const key = `${subject}\0${result}`
    const known = byKey.get(key)
    const first = firstOfSubject.get(subject)
    if (first === undefined) firstOfSubject.set(subject, id)
    byKey.set(
      key,
      known === undefined ? { ...event, contradicts: first ?? null } : { ...known, copies: known.copies + copies },
    )
    return key
  })
  const sorted = [...byKey.keys()].sort()
  const indexOf = new Map(sorted.map((key, index) => [key, index]))
  const seen = new Set<string>()
  return {
    events: sorted.flatMap(key => byKey.get(key) ?? []),
    places: keys.map(key => {
      const isFirst = !seen.has(key)
      seen.add(key)
      return { index: indexOf.get(key) ?? 0, isFirst }
    }),
  }
}
