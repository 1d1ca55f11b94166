/** Something that happens once, for whoever waits for it. */
export type Signal = { readonly happened: Promise<void>; happen(): void }

export function createSignal(): Signal {
  let happen = (): void => {}
  const happened = new Promise<void>(resolve => {
    happen = resolve
  })
  return { happened, happen }
}
