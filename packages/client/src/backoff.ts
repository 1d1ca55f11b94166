const firstMs = 500
const longestMs = 20_000

/** How long to wait after so many failures in a row: anything up to a limit that doubles, so that a crowd spreads. */
export function backoffMs(failures: number, random: number): number {
  return random * Math.min(longestMs, firstMs * 2 ** failures)
}
