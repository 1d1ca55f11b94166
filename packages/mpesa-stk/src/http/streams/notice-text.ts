import { viewProblem } from '../../core/stream/stream-error.ts'
import type { StreamNotice } from '../../relay/streams/stream-sink.ts'

/** As a frame of version 1, without the number of a subscription. */
export function writeNotice(notice: StreamNotice): string {
  return JSON.stringify(notice.type === 'error' ? { type: 'error', ...viewProblem(notice.code) } : notice)
}
