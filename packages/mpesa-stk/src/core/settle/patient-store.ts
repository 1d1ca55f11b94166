import { describeError, MpesaStkError } from '../errors.ts'
import type { Clock, Logger, Store } from '../ports.ts'

const againAfterMs = [100, 500, 2_000]

/**
 * Steps that are the same when they are done twice: a commit is known by the id of its entry, a reservation finds itself,
 * the same bytes count a copy more. A claim is not among them (its first lease would hold the work up), nor is a token.
 */
const repeatable: ReadonlySet<string | symbol> = new Set<keyof Store>([
  'reserveInitiation',
  'commitTransition',
  'recordCallback',
  'parkCallback',
  'findPayment',
  'listCallbacks',
  'finishWork',
  'addWork',
])

/**
 * The store, asked again when it fails: it may have been away for a moment, or only have lost the acknowledgement. Throws
 * what the store throws when it does not come back within three seconds.
 */
export function createPatientStore(store: Store, clock: Clock, logger: Logger): Store {
  return new Proxy(store, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      if (!repeatable.has(name)) return method.bind(target)
      return async (...args: unknown[]): Promise<unknown> => {
        for (const delayMs of againAfterMs) {
          try {
            return await method.apply(target, args)
          } catch (cause) {
            // Ours say what is wrong for good: there are no tables, or those of a newer release.
            if (cause instanceof MpesaStkError) throw cause
            logger.warn({ step: String(name), error: describeError(cause) }, 'the store failed; trying again')
            await clock.sleep(delayMs)
          }
        }
        return method.apply(target, args)
      }
    },
  })
}
