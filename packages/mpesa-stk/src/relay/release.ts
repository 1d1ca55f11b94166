import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import type { Intake, NoEvent } from './intake.ts'

/** What became of a quarantined body that was to be released. */
export type Release =
  /** It is an event of this app. `repeat`: the same had come before, with an id that is not known here. */
  | { readonly outcome: 'recorded'; readonly appId: string; readonly eventId: string }
  | { readonly outcome: 'repeat'; readonly appId: string; readonly eventId: null }
  | ({ readonly outcome: 'stays' } & NoEvent)
  /** There is no such body, or not any more. */
  | { readonly outcome: 'absent' }

/**
 * Makes a quarantined body the event that it would be if it came in now, at the hook of the given app or of the one that it came
 * for. It is recorded before it leaves the quarantine, under the id that it has there: who dies in between leaves both, and the next
 * release finds the event and makes no second one, for whatever app it asks.
 */
export async function release(
  { storage, intake }: { readonly storage: RelayStorage; readonly intake: Intake },
  id: string,
  wantedAppId: string | null,
): Promise<Release> {
  const kept = await storage.findQuarantined(id)
  if (kept === null) return { outcome: 'absent' }
  const { callbackToken: token, body, length, receivedAt } = kept
  const appId = wantedAppId ?? kept.appId
  // Where it came from the operator has judged.
  const received = { appId, token, body, length, receivedAt, unknownSource: null, traceParent: null }
  const recorded = await intake.record(received, id)
  const own = await storage.findEvent(id)
  if (own === null && 'reason' in recorded) return { outcome: 'stays', ...recorded }
  await storage.deleteQuarantined(id)
  return own === null
    ? { outcome: 'repeat', appId, eventId: null }
    : { outcome: 'recorded', appId: own.event.appId, eventId: id }
}
