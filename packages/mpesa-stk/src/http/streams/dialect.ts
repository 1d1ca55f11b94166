import type { StreamErrorCode } from '../../core/stream/stream-error.ts'
import type { StreamScope } from '../../core/stream/stream-event.ts'
import type { EventFrame } from '../../relay/streams/event-frame.ts'
import type { Admission, StreamCredentials } from '../../relay/streams/stream-door.ts'
import type { StreamNotice } from '../../relay/streams/stream-sink.ts'

/** What is spoken over a WebSocket: version 1, or what pages of before know. */
export interface Dialect {
  /** What the server says first. */
  readonly greeting: string
  /** What it asks whoever has been silent; null for the ping of WebSocket itself. */
  readonly ping: string | null
  /** Null where that is not said. */
  writeSubscribed(id: number, stream: string): string | null
  /** An event. */
  write(id: number, frame: EventFrame, isLive: boolean): string | Buffer
  /** Null for what is not said in it. */
  writeNotice(id: number, notice: StreamNotice): string | null
  writeProblem(code: StreamErrorCode, id: number | null): string
  /** The close code after what ended a subscription; null where the connection stays. */
  closesWith(notice: StreamNotice): number | null
  /** Null where the connection stays. */
  closeCodeOf(code: StreamErrorCode): number | null
  /** A frame of the client. Rejects when the store fails. */
  handle(conversation: Conversation, text: string): Promise<void>
}

/** What a frame of the client may bring about. */
export interface Conversation {
  /** Null until the client has said who it is. */
  readonly admission: Admission | null
  /** How long its token is good; null without one. */
  readonly ttlMs: number | null
  say(text: string): void
  /** Ends it, saying why. */
  fail(code: StreamErrorCode): void
  /** False where it is at its end. */
  authenticate(credentials: StreamCredentials, scope?: StreamScope): Promise<boolean>
  subscribe(id: number, stream: string, from: string): Promise<void>
  unsubscribe(id: number): void
  acknowledge(id: number, cursor: string): void
  /** False where it is at its end. */
  refresh(token: string): Promise<boolean>
}
