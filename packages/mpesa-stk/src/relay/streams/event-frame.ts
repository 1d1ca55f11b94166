import { formatCursor, type LogCursor } from '../../core/deliver/event-log.ts'
import { projectEntry } from '../../core/stream/project-event.ts'
import type { StreamEvent, StreamScope } from '../../core/stream/stream-event.ts'
import type { StreamEntry } from '../../core/stream/stream-storage.ts'

/** An event as it goes to all who read it: written once, whoever they are. */
export class EventFrame {
  /** After which the next one comes. */
  readonly place: LogCursor
  readonly cursor: string
  /** The event, as JSON. */
  readonly event: string
  #id = -1
  #bytes: Buffer | null = null

  constructor(place: LogCursor, event: string) {
    this.place = place
    this.cursor = formatCursor(place)
    this.event = event
  }

  /** As a frame of version 1, without the number of a subscription. */
  get text(): string {
    return `{"type":"event",${this.#rest}`
  }

  /** As a frame of version 1. Most who read an event call their subscription by the same number. */
  bytesFor(id: number): Buffer {
    if (this.#bytes === null || this.#id !== id) {
      this.#id = id
      this.#bytes = Buffer.from(`{"type":"event","id":${id},${this.#rest}`)
    }
    return this.#bytes
  }

  get #rest(): string {
    return `"cursor":${JSON.stringify(this.cursor)},"event":${this.event}}`
  }
}

/** An entry of a log as frames, for each scope made when somebody asks for it. */
export class EntryFrames {
  readonly position: number
  readonly #entry: StreamEntry
  readonly #epoch: string
  readonly #aliasKey: string
  readonly #made = new Map<string, readonly EventFrame[]>()

  constructor(entry: StreamEntry, epoch: string, aliasKey: string) {
    this.position = entry.position
    this.#entry = entry
    this.#epoch = epoch
    this.#aliasKey = aliasKey
  }

  /**
   * `withEarlier`: for a payment's own stream, where callbacks of before its report come with this. In the whole log they have been
   * at their own positions.
   */
  of(scope: StreamScope, withEarlier: boolean): readonly EventFrame[] {
    const name = `${scope} ${withEarlier}`
    const made = this.#made.get(name)
    if (made !== undefined) return made
    const entry = withEarlier ? this.#entry : { ...this.#entry, earlier: [] }
    const frames = this.#make(projectEntry(entry, scope, this.#aliasKey))
    this.#made.set(name, frames)
    return frames
  }

  /** All but the last have the cursor of before: who comes again with it gets them all. */
  #make(events: readonly StreamEvent[]): readonly EventFrame[] {
    const before = { epoch: this.#epoch, position: this.position - 1, eventId: null }
    return events.map((event, index) => {
      return new EventFrame(index === events.length - 1 ? this.#place : before, JSON.stringify(event))
    })
  }

  get #place(): LogCursor {
    return { epoch: this.#epoch, position: this.position, eventId: this.#entry.event.id }
  }
}
