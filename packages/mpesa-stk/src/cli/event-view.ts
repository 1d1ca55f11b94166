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
  readonly attempts: readonly {
    readonly number: number
    readonly at: string
    readonly durationMs: number
    readonly httpStatus: number | null
    readonly errorClass: string | null
    readonly responseHead: string
  }[]
}
