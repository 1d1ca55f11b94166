import { describeError } from '../errors.ts'
import type { Clock, Logger, Store, Transition, TransitionOutcome } from '../ports.ts'

const againAfterMs = [100, 500, 2_000]

/**
 * Commits a step, and again when the store fails: it may only have lost the acknowledgement, and a step that was
 * committed already is known by the id of its entry. Throws what the store throws when it does not come back.
 */
export async function commitSurely(
  { store, clock, logger }: { readonly store: Store; readonly clock: Clock; readonly logger: Logger },
  transition: Transition,
): Promise<TransitionOutcome> {
  for (const delayMs of againAfterMs) {
    try {
      return await store.commitTransition(transition)
    } catch (cause) {
      const { paymentId, entry } = transition
      logger.warn(
        { paymentId, event: entry.event, error: describeError(cause) },
        'a step could not be committed; trying again',
      )
      await clock.sleep(delayMs)
    }
  }
  return store.commitTransition(transition)
}
