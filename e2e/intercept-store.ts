import type { Store } from 'mpesa-stk'

/** The store with every call passing through `intercept`, as a test of a failing or dying process needs it. */
export function interceptStore(
  store: Store,
  intercept: (name: keyof Store, pass: () => Promise<unknown>, args: readonly unknown[]) => Promise<unknown>,
): Store {
  return new Proxy(store, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      return (...args: unknown[]) => intercept(name as keyof Store, async () => method.apply(target, args), args)
    },
  })
}
