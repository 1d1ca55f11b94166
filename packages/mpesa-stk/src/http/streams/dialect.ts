import type { StreamErrorCode } from '../../core/stream/stream-error.ts'
import type { EventFrame } from '../../relay/streams/event-frame.ts'
import type { StreamNotice } from '../../relay/streams/stream-sink.ts'
import type { SocketConnection } from './socket-connection.ts'

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
  handle(connection: SocketConnection, text: string): Promise<void>
}
