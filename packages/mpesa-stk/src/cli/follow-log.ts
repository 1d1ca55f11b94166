import { MpesaStkError } from '../core/errors.ts'
import { isAbsence } from '../relay-link/relay-problem.ts'
import type { EventView } from './event-view.ts'
import { backoffMs, pause } from './pause.ts'
import { queryOf, type RelayClient } from './relay-client.ts'
import { paint, type Terminal } from './terminal.ts'

export type LogEntry = {
  readonly cursor: string
  readonly event: EventView
  /** Exactly what the relay would send now; only where it was asked for, and of an event whose body is still there. */
  readonly delivery?: { readonly headers: Readonly<Record<string, string>>; readonly bodyBase64: string }
}
export type LogPage = { readonly entries: readonly LogEntry[]; readonly cursor: string; readonly gap: boolean }

/** Reads an app's log on and on, over restarts of the relay. */
export type FollowedLog = {
  /**
   * What stands after the cursor: `latest` is only what comes from now on, and undefined everything. Waits for the first where there
   * is none, and may come back with none. Null after Ctrl-C.
   */
  read(after: string | undefined): Promise<LogPage | null>
}

/** Below the 30 s after which an answer is taken for lost. */
const waitMs = 25_000

/** @throws MpesaStkError `MPESA_STK_RELAY_UNREACHABLE` where no relay runs: it alone takes what there is to follow. */
export function followLog(
  terminal: Terminal,
  relay: RelayClient,
  appId: string,
  wanted: { readonly deliveries?: '1'; readonly limit?: string },
): FollowedLog {
  if (!relay.isRunning) {
    throw new MpesaStkError(
      'MPESA_STK_RELAY_UNREACHABLE',
      'no relay runs on this machine, and only one that runs can be followed; start it (mpesa-stk relay), or say where it is with --relay or RELAY_URL',
    )
  }
  const { signal, note } = terminal
  const path = `/v1/apps/${encodeURIComponent(appId)}/log`
  let hasAnswered = false
  let failures = 0

  /** Whether to ask again. A relay that has never answered is one that was named wrong. */
  async function outlast(error: unknown): Promise<boolean> {
    const isOverQuota = error instanceof MpesaStkError && error.code === 'MPESA_STK_RELAY_OVER_QUOTA'
    if (!isOverQuota && !(hasAnswered && isAbsence(error))) return false
    failures++
    const why = isOverQuota ? error.message : 'the relay does not answer'
    if (failures === 1) note(paint(terminal, 'yellow', `${why}; asking again until it answers`))
    await pause(isOverQuota ? backoffMs(6) : backoffMs(failures), signal)
    return true
  }

  return {
    async read(after) {
      const query = queryOf({ ...wanted, ...(after !== undefined && { after }), waitMs: String(waitMs) })
      while (!signal.aborted) {
        try {
          const page = await relay.ask<LogPage>('GET', `${path}${query}`)
          if (failures > 0) note(paint(terminal, 'green', 'the relay answers again'))
          hasAnswered = true
          failures = 0
          return page
        } catch (error) {
          if (signal.aborted) return null
          if (!(await outlast(error))) throw error
        }
      }
      return null
    },
  }
}

export function gapWarning(terminal: Terminal): string {
  return paint(
    terminal,
    'red',
    'GAP: events before these cannot be read any more (they were removed, or the relay’s store was replaced); see events list',
  )
}
