import { askCircuit, beginProbe, type Circuit, closedCircuit, noteAttempt } from '../core/deliver/circuit.ts'
import type { LeasedEvent } from '../core/deliver/relay-event.ts'

/** An event in memory with the time, by a clock that never jumps, at which its lease was asked for. */
export type QueuedEvent = { readonly event: LeasedEvent; readonly leasedAtMs: number }

type AppQueue = { readonly waiting: QueuedEvent[]; running: number; circuit: Circuit }

/** At most so many requests at once to one app's endpoint, and so many waiting in memory. */
const runningPerApp = 16
const waitingPerApp = 500

/**
 * Events that are leased to this process and not sent yet, app by app: each app in its turn, so that nobody's endpoint delays
 * another's. An endpoint that fails again and again is left alone for a while.
 */
export class DeliveryQueue {
  readonly #apps = new Map<string, AppQueue>()
  #waiting = 0

  get waiting(): number {
    return this.#waiting
  }

  /** False when there is no room for more of this app, or it is left alone just now. */
  add(queued: QueuedEvent, nowMs: number): boolean {
    const app = this.#app(queued.event.appId)
    if (app.waiting.length >= waitingPerApp || askCircuit(app.circuit, nowMs) === 'wait') return false
    app.waiting.push(queued)
    this.#waiting++
    return true
  }

  /** The next event that may be sent now, of the app whose turn it is; it counts as running until `end`. */
  take(nowMs: number): QueuedEvent | null {
    for (const [appId, app] of this.#apps) {
      if (app.waiting.length === 0 || app.running >= runningPerApp) continue
      const answer = askCircuit(app.circuit, nowMs)
      if (answer === 'wait') continue
      if (answer === 'probe') app.circuit = beginProbe(app.circuit)
      const queued = app.waiting.shift()
      if (queued === undefined) continue
      app.running++
      this.#waiting--
      // To the end of the line: a Map keeps the order of insertion.
      this.#apps.delete(appId)
      this.#apps.set(appId, app)
      return queued
    }
    return null
  }

  /** After an attempt. Whatever waits for an endpoint that is left alone now is given back. */
  end(appId: string, isAlive: boolean, nowMs: number): readonly QueuedEvent[] {
    const app = this.#app(appId)
    app.running--
    app.circuit = noteAttempt(app.circuit, isAlive, nowMs)
    if (askCircuit(app.circuit, nowMs) !== 'wait') return []
    const given = app.waiting.splice(0)
    this.#waiting -= given.length
    return given
  }

  /** Nothing was sent after all. */
  cancel(appId: string): void {
    const app = this.#app(appId)
    app.running--
    app.circuit = { ...app.circuit, isProbing: false }
  }

  /** Until when an app's endpoint is left alone; null when it is not. */
  waitsUntilMs(appId: string): number | null {
    return this.#apps.get(appId)?.circuit.openUntilMs ?? null
  }

  /** Apps of which nothing more should be claimed now. */
  shutApps(nowMs: number): readonly string[] {
    return [...this.#apps]
      .filter(([, { waiting, circuit }]) => waiting.length >= waitingPerApp || askCircuit(circuit, nowMs) === 'wait')
      .map(([appId]) => appId)
  }

  /** Everything that waits, which is then forgotten. */
  drain(): readonly QueuedEvent[] {
    const all = [...this.#apps.values()].flatMap(({ waiting }) => waiting.splice(0))
    this.#waiting = 0
    return all
  }

  #app(appId: string): AppQueue {
    const known = this.#apps.get(appId)
    if (known !== undefined) return known
    const app: AppQueue = { waiting: [], running: 0, circuit: closedCircuit }
    this.#apps.set(appId, app)
    return app
  }
}
