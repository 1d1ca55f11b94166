import {
  askCircuit,
  beginProbe,
  type Circuit,
  type CircuitCounts,
  closedCircuit,
  noteAttempt,
  stateOf,
} from '../core/deliver/circuit.ts'
import type { LeasedEvent } from '../core/deliver/relay-event.ts'

/** An event in memory with the time, by a clock that never jumps, at which its lease was asked for. */
export type QueuedEvent = { readonly event: LeasedEvent; readonly leasedAtMs: number }

type AppQueue = { readonly waiting: QueuedEvent[]; waitingBytes: number; running: number; circuit: Circuit }

/** At most so many requests at once to one app's endpoint, and to all together. */
const runningPerApp = 16
const runningTogether = 256
/** At most so many wait in memory of one app, and so many bytes: of one, and of all. */
const waitingPerApp = 500
const waitingBytesPerApp = 8 * 1024 * 1024
const maxWaitingBytes = 64 * 1024 * 1024
/** Of an app that has so many no more are claimed: whoever is slow leaves the room to others. */
export const enoughOfOneApp = 8 * runningPerApp

/**
 * Events that are leased to this process and not sent yet, app by app: each app in its turn, so that nobody's endpoint delays
 * another's. An endpoint that fails again and again is left alone for a while.
 */
export class DeliveryQueue {
  readonly #apps = new Map<string, AppQueue>()
  #waitingBytes = 0
  #running = 0

  /** False when there is no room for more of this app, or it is left alone just now. */
  add(queued: QueuedEvent, nowMs: number): boolean {
    const app = this.#app(queued.event.appId)
    const bytes = queued.event.body.length
    if (askCircuit(app.circuit, nowMs) === 'wait') return false
    const isCrowded = app.waitingBytes + bytes > waitingBytesPerApp || this.#waitingBytes + bytes > maxWaitingBytes
    // Of whom nothing waits one may always: nobody's crowd keeps another out.
    if (app.waiting.length >= waitingPerApp || (isCrowded && app.waiting.length > 0)) return false
    app.waiting.push(queued)
    app.waitingBytes += bytes
    this.#waitingBytes += bytes
    return true
  }

  /** The next event that may be sent now, of the app whose turn it is; it counts as running until `end`. */
  take(nowMs: number): QueuedEvent | null {
    const free = runningTogether - this.#running
    if (free === 0) return null
    // The fewer there are left, the fewer one app may have: many slow endpoints together leave something for the others.
    const share = Math.min(runningPerApp, Math.max(1, Math.floor(free / 8)))
    for (const [appId, app] of this.#apps) {
      if (app.waiting.length === 0 || app.running >= share) continue
      const answer = askCircuit(app.circuit, nowMs)
      if (answer === 'wait') continue
      if (answer === 'probe') app.circuit = beginProbe(app.circuit)
      const queued = app.waiting.shift()
      if (queued === undefined) continue
      app.running++
      this.#running++
      app.waitingBytes -= queued.event.body.length
      this.#waitingBytes -= queued.event.body.length
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
    this.#running--
    app.circuit = noteAttempt(app.circuit, isAlive, nowMs)
    if (app.waiting.length === 0 && app.running === 0 && app.circuit === closedCircuit) this.#apps.delete(appId)
    return askCircuit(app.circuit, nowMs) === 'wait' ? this.#empty(app) : []
  }

  /** Nothing was sent after all. */
  cancel(appId: string): void {
    const app = this.#app(appId)
    app.running--
    this.#running--
    // The probe may be another's, unless nothing else runs.
    if (app.running === 0 && app.circuit.isProbing) app.circuit = { ...app.circuit, isProbing: false }
  }

  /** Whether what waits of an app is soon sent. */
  isLow(appId: string): boolean {
    return (this.#apps.get(appId)?.waiting.length ?? 0) < 2 * runningPerApp
  }

  /** Until when an app's endpoint is left alone; null when it is not. */
  waitsUntilMs(appId: string): number | null {
    return this.#apps.get(appId)?.circuit.openUntilMs ?? null
  }

  /** Apps of which nothing more should be claimed now. */
  shutApps(nowMs: number): readonly string[] {
    return [...this.#apps]
      .filter(([, { waiting, circuit }]) => waiting.length >= enoughOfOneApp || askCircuit(circuit, nowMs) === 'wait')
      .map(([appId]) => appId)
  }

  /** Everything that waits, which is then forgotten. */
  drain(): readonly QueuedEvent[] {
    return [...this.#apps.values()].flatMap(app => this.#empty(app))
  }

  /** How many endpoints are open to attempts, left alone, and being probed. */
  circuits(): CircuitCounts {
    const counts = { closed: 0, open: 0, probing: 0 }
    for (const { circuit } of this.#apps.values()) counts[stateOf(circuit)]++
    return counts
  }

  #empty(app: AppQueue): readonly QueuedEvent[] {
    const given = app.waiting.splice(0)
    this.#waitingBytes -= app.waitingBytes
    app.waitingBytes = 0
    return given
  }

  #app(appId: string): AppQueue {
    const known = this.#apps.get(appId)
    if (known !== undefined) return known
    const app: AppQueue = { waiting: [], waitingBytes: 0, running: 0, circuit: closedCircuit }
    this.#apps.set(appId, app)
    return app
  }
}
