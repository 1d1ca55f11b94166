import type { RelayStorage } from 'mpesa-stk/server'

/** What happens to a call: it goes through, it fails as a lost connection does, or it never comes back. */
export type Trouble = 'none' | 'fails' | 'hangs'

/** A storage whose every method is in the trouble of the moment. */
export function createTroubledStorage(storage: RelayStorage) {
  let trouble: Trouble = 'none'
  const waiting: (() => void)[] = []
  const troubled = new Proxy(storage, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function' || name === 'close' || name === 'migrate') return value
      return async (...args: unknown[]): Promise<unknown> => {
        if (trouble === 'fails') throw new Error('connection lost')
        if (trouble === 'hangs') await new Promise<void>(resolve => waiting.push(resolve))
        return Reflect.apply(value, target, args)
      }
    },
  })
  return {
    storage: troubled,
    set(next: Trouble): void {
      trouble = next
      if (next !== 'hangs') for (const resolve of waiting.splice(0)) resolve()
    },
  }
}
