import { parseClientFrame } from '../../core/stream/client-frame.ts'
import { streamProblems, viewProblem } from '../../core/stream/stream-error.ts'
import type { Conversation, Dialect } from './dialect.ts'
import { heartbeatMs } from './socket-connection.ts'

/** The subprotocol that a client asks for. */
export const versionOneName = 'mpesa-stk.v1'

export const versionOne: Dialect = {
  greeting: '{"type":"hello","version":1}',
  ping: '{"type":"ping"}',
  writeSubscribed: (id, stream) => JSON.stringify({ type: 'subscribed', id, stream }),
  write: (id, frame) => frame.bytesFor(id),
  writeNotice(id, notice) {
    return notice.type === 'error' ? this.writeProblem(notice.code, id) : JSON.stringify({ ...notice, id })
  },
  writeProblem: (code, id) => JSON.stringify({ type: 'error', ...viewProblem(code), ...(id !== null && { id }) }),
  closesWith: () => null,
  closeCodeOf: code => streamProblems[code].close,
  async handle(connection, text) {
    const frame = parseClientFrame(text)
    if (frame === null) return connection.fail('bad_frame')
    const { type } = frame
    const isOfAnybody = type === 'auth' || type === 'ping' || type === 'pong'
    if (!isOfAnybody && connection.admission === null) return connection.fail('bad_frame')
    switch (type) {
      case 'ping':
        return connection.say(JSON.stringify({ type: 'pong', t: frame.t }))
      case 'pong':
        return
      case 'auth':
        if (await connection.authenticate(frame)) sayReady(connection)
        return
      case 'subscribe':
        return connection.subscribe(frame.id, frame.stream, frame.from)
      case 'unsubscribe':
        return connection.unsubscribe(frame.id)
      case 'ack':
        return connection.acknowledge(frame.id, frame.cursor)
      case 'refresh':
        if (await connection.refresh(frame.token)) sayReady(connection)
    }
  },
}

function sayReady(connection: Conversation): void {
  connection.say(JSON.stringify({ type: 'ready', ttlMs: connection.ttlMs, heartbeatMs }))
}
