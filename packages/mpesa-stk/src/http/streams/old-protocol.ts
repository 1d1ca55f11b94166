import { parseOldClientFrame } from '../../core/stream/client-frame.ts'
import { type StreamErrorCode, streamProblems } from '../../core/stream/stream-error.ts'
import type { Dialect } from './dialect.ts'

/** After this, and nothing else, an old client stays away. */
const finalWord = 1000
const comeAgain = 1013

/** What pages of before know: `/ws?source_id=…`, a secret, and then all of the source. */
export function oldProtocol(sourceId: string): Dialect {
  return {
    greeting: '{"type":"auth_required"}',
    ping: null,
    writeSubscribed: () => null,
    write: (_id, frame, isLive) => `{"type":"${isLive ? 'event' : 'replay'}","data":${frame.event}}`,
    writeNotice(_id, notice) {
      if (notice.type === 'error') return this.writeProblem(notice.code, null)
      if (notice.type === 'gap') return notice.reason === 'cleared' ? '{"type":"cleared"}' : null
      return notice.type === 'ended' ? '{"type":"destroyed"}' : null
    },
    writeProblem: code => JSON.stringify({ type: 'error', error: streamProblems[code].text, code }),
    closesWith: notice => (notice.type === 'error' ? closeCodeOf(notice.code) : finalWord),
    closeCodeOf,
    async handle(connection, text) {
      const frame = parseOldClientFrame(text)
      if (frame === null) return connection.fail('bad_frame')
      if (frame.type === 'ping') return connection.say('{"type":"pong"}')
      if (frame.type !== 'auth') return
      if (!(await connection.authenticate({ sourceId, secret: frame.secret }, 'old'))) return
      connection.say('{"type":"auth_success"}')
      await connection.subscribe(0, 'source', 'start')
    },
  }
}

/** It has one subscription: what ends this ends the connection. */
function closeCodeOf(code: StreamErrorCode): number {
  const { retry, close } = streamProblems[code]
  return retry === 'never' && code !== 'bad_frame' ? finalWord : (close ?? comeAgain)
}
