/** A promise and the function that settles it. (Node 20 has no `Promise.withResolvers`.) */
export interface Deferred {
  readonly promise: Promise<void>
  resolve(): void
}

export function createDeferred(): Deferred {
  let settle = () => {}
  const promise = new Promise<void>(resolve => {
    settle = resolve
  })
  return { promise, resolve: () => settle() }
}
