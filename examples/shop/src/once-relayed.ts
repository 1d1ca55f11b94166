import type { Shop } from './open-shop.ts'
import type { TimelineRow } from './timeline.ts'

/** A callback as the relay has it, by its own HTTP API. */
export type RelayedEvent = {
  readonly status: 'PENDING' | 'DELIVERED' | 'FAILED' | 'DEAD'
  /** How often Safaricom sent it. */
  readonly copies: number
  readonly contradicts: string | null
  readonly receivedAt: string
  readonly attempts: readonly {
    readonly number: number
    readonly at: string
    readonly durationMs: number
    readonly httpStatus: number | null
    readonly errorClass: string | null
  }[]
}

type ListedEvent = { readonly eventId: string; readonly kind: string }

/** The callbacks that the relay has for the shop's app, oldest first. Asked with the signing secret, as a merchant asks. */
export async function readRelayedEvents({ relay, relayApp }: Shop): Promise<readonly RelayedEvent[]> {
  const read = async (path: string): Promise<unknown> => {
    const headers = { authorization: `Bearer ${relayApp.signingSecret}` }
    const response = await fetch(`${relay.url}${path}`, { headers })
    if (!response.ok) throw new Error(`the relay answered ${response.status}`)
    return response.json()
  }
  const { events } = (await read(`/v1/apps/${relayApp.appId}/events`)) as { events: ListedEvent[] }
  // What the shop itself reported is there as well, for the screens that listen.
  const oldestFirst = events.filter(({ kind }) => kind !== 'lifecycle').reverse()
  return Promise.all(oldestFirst.map(({ eventId }) => read(`/v1/events/${eventId}`) as Promise<RelayedEvent>))
}

/** Its story: stored first, and then delivered as often as it takes. */
export function tellRelayed({
  receivedAt,
  copies,
  contradicts,
  attempts,
}: RelayedEvent): Omit<TimelineRow, 'sinceStartMs'>[] {
  const facts = [
    'before it is acknowledged',
    ...(copies > 1 ? [`one for ${copies} copies`] : []),
    ...(contradicts === null ? [] : ['contradicts one before, and is kept beside it']),
  ]
  return [
    { at: receivedAt, by: 'relay', step: 'Callback stored', evidence: facts.join('; ') },
    ...attempts.map(({ at, number, durationMs, httpStatus, errorClass }) => {
      const answer = httpStatus === null ? `not answered (${errorClass})` : `answered ${httpStatus}`
      const again = errorClass === null ? '' : '; kept, to be tried again'
      const evidence = `signed, attempt ${number} ${answer} after ${Math.round(durationMs)} ms${again}`
      return { at, by: 'relay', step: 'Delivers it', evidence } as const
    }),
  ]
}
