import type { ReceivedRequest } from './request-log.ts'
import { SimulatorError } from './simulator-error.ts'
import type { CallbackAttempt, Transaction } from './transaction.ts'

/** Something that just happened in the simulator. */
export type SimulatorEvent =
  | { readonly type: 'request-received'; readonly request: ReceivedRequest }
  | {
      readonly type:
        | 'push-accepted'
        | 'push-acknowledged'
        | 'prompt-shown'
        | 'prompt-answered'
        | 'transaction-settled'
        | 'callback-lost'
      readonly transaction: Transaction
    }
  | { readonly type: 'callback-attempted'; readonly transaction: Transaction; readonly attempt: CallbackAttempt }
  | { readonly type: 'reset' }

export type SimulatorEventName = SimulatorEvent['type']

/** Tells listeners what happens, in order, synchronously. */
export interface Signals {
  emit(event: SimulatorEvent): void
  /** Returns the function that stops listening. */
  listen(listener: (event: SimulatorEvent) => void): () => void
  /** The next event that `matches`. Rejects with SIMULATOR_WAIT_TIMEOUT, or SIMULATOR_CLOSED when the simulator closes first. */
  next(matches: (event: SimulatorEvent) => boolean, timeoutMs: number, awaited: string): Promise<SimulatorEvent>
  close(): void
}

export function createSignals(): Signals {
  const listeners = new Set<(event: SimulatorEvent) => void>()
  const closers = new Set<() => void>()
  return {
    emit(event) {
      for (const listener of [...listeners]) listener(event)
    },
    listen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    next: (matches, timeoutMs, awaited) =>
      new Promise((resolve, reject) => {
        const stop = () => {
          clearTimeout(timer)
          listeners.delete(listener)
          closers.delete(closed)
        }
        const listener = (event: SimulatorEvent) => {
          if (!matches(event)) return
          stop()
          resolve(event)
        }
        const closed = () => {
          stop()
          reject(new SimulatorError('SIMULATOR_CLOSED', `The simulator was closed while ${awaited} was awaited`))
        }
        const timer = setTimeout(() => {
          stop()
          reject(new SimulatorError('SIMULATOR_WAIT_TIMEOUT', `Waited ${timeoutMs} ms in vain for ${awaited}`))
        }, timeoutMs)
        listeners.add(listener)
        closers.add(closed)
      }),
    close() {
      for (const closed of [...closers]) closed()
      listeners.clear()
    },
  }
}
