import { shortTime } from './read-time.ts'
import { clip, paint, type Terminal } from './terminal.ts'

/** An event as the relay shows it. */
export type EventView = {
  readonly eventId: string
  readonly kind: string
  readonly status: string
  readonly attemptCount: number
  readonly contradicts: string | null
  readonly receivedAt: string
  readonly lastError: string | null
}

export type EventWithAttempts = EventView & {
  readonly body: unknown
  readonly isBodyRemoved: boolean
  readonly attempts: readonly {
    readonly number: number
    readonly at: string
    readonly durationMs: number
    readonly httpStatus: number | null
    readonly errorClass: string | null
    readonly responseHead: string
  }[]
}

const colourOf: Readonly<Record<string, 'green' | 'yellow' | 'red'>> = {
  DELIVERED: 'green',
  FAILED: 'yellow',
  DEAD: 'red',
}

/** An event on a line that a terminal does not break. A second one that says something else is not to be overlooked. */
export function eventLine(terminal: Terminal, event: EventView): string {
  const { eventId, kind, status, contradicts, receivedAt } = event
  const line = clip(terminal, `${shortTime(receivedAt)}  ${kind.padEnd(6)}  ${eventId}  ${status}`)
  const colour = contradicts === null ? colourOf[status] : 'red'
  const painted = colour === undefined ? line : paint(terminal, colour, line)
  if (contradicts === null) return painted
  return `${painted}\n${paint(terminal, 'red', clip(terminal, `  says something else than ${contradicts}`))}`
}
