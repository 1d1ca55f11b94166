/** A piece of work, done so many times by so many callers at once, in milliseconds. */
async function timeOf(count: number, callers: number, work: (index: number) => Promise<unknown>): Promise<number> {
  let next = 0
  const began = performance.now()
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (next < count) await work(next++)
    }),
  )
  return performance.now() - began
}

/** What one round does `count` times, after it has made ready what it needs. */
export type Round = { readonly ready?: () => Promise<void>; readonly work: (index: number) => Promise<unknown> }

const rounds = 4

/**
 * How often a second each of several pieces of work is done. They take turns, so that a disk that is slow for a while is
 * slow for all of them. The first turn of each warms up and does not count.
 */
export async function measureInTurns<Name extends string>(
  pieces: Readonly<Record<Name, Round>>,
  { count, callers }: { readonly count: number; readonly callers: number },
): Promise<Readonly<Record<Name, number>>> {
  const names = Object.keys(pieces) as Name[]
  const spentMs = new Map<Name, number>(names.map(name => [name, 0]))
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      await pieces[name].ready?.()
      const ms = await timeOf(count, callers, pieces[name].work)
      if (round > 0) spentMs.set(name, (spentMs.get(name) ?? 0) + ms)
    }
  }
  const perSecond = names.map(name => [name, (rounds * count * 1_000) / (spentMs.get(name) ?? 0)] as const)
  return Object.fromEntries(perSecond) as Record<Name, number>
}
