import { isAbsence } from '../relay-link/relay-problem.ts'
import type { EventView } from './event-view.ts'
import { pause } from './pause.ts'
import type { RelayClient } from './relay-client.ts'
import { createProgress } from './replay-progress.ts'
import type { CommonOptions, Terminal } from './terminal.ts'

/** A replay of many as the relay shows it. */
export type ReplayView = {
  readonly replayId: string
  readonly state: 'RUNNING' | 'DONE' | 'CANCELLED'
  readonly matched: number
  readonly replayed: number
}

const lookEveryMs = 500
/** An attempt takes ten seconds at most. An app that is disabled, or whose endpoint is left alone, is not tried at all. */
const attemptWaitMs = 15_000
/** A relay that is restarted is back sooner. */
const absenceMs = 60_000

/** Looks on until there was another attempt, or none is to come, or it has been long enough. */
export async function watchEvent(
  { signal }: Terminal,
  relay: RelayClient,
  path: string,
  attemptsBefore: number,
): Promise<EventView> {
  const until = performance.now() + attemptWaitMs
  for (;;) {
    const event = await relay.ask<EventView>('GET', path)
    const isOver = event.attemptCount > attemptsBefore || event.status === 'DEAD'
    if (isOver || signal.aborted || performance.now() > until) return event
    await pause(lookEveryMs / 5, signal)
  }
}

/** Looks on until it has ended, over restarts of the relay, or until Ctrl-C: then it goes on without us. */
export async function watchReplay(
  terminal: Terminal,
  options: CommonOptions,
  relay: RelayClient,
  path: string,
  begun: ReplayView,
  howToCancel: string,
): Promise<ReplayView> {
  const { signal } = terminal
  const progress = createProgress(terminal, options, {
    total: begun.matched,
    what: 'events are due again',
    ifLeft: `the replay goes on; to stop it: ${howToCancel}`,
  })
  let replay = begun
  let answeredAtMs = performance.now()
  while (replay.state === 'RUNNING' && !signal.aborted) {
    progress.tell(replay.replayed)
    await pause(lookEveryMs, signal)
    if (signal.aborted) return replay
    try {
      replay = await relay.ask<ReplayView>('GET', path)
      answeredAtMs = performance.now()
    } catch (error) {
      if (signal.aborted) return replay
      if (!isAbsence(error) || performance.now() - answeredAtMs > absenceMs) throw error
    }
  }
  progress.tell(replay.replayed)
  progress.end()
  return replay
}
