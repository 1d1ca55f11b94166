const nairobiOffsetMs = 3 * 3_600_000

/** A time as Safaricom's statements have it, and as logs do: `2026-08-17 10:15:13 EAT (07:15:13 UTC)`. */
export function formatMoment(at: Date): string {
  const [day, time] = partsOf(new Date(at.getTime() + nairobiOffsetMs))
  return `${day} ${time} EAT (${partsOf(at)[1]} UTC)`
}

function partsOf(at: Date): readonly [string, string] {
  const text = at.toISOString()
  return [text.slice(0, 10), text.slice(11, 19)]
}
