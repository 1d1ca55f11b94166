import type { Agent, Dispatcher } from 'undici'
import type { OutboundRequest } from '../core/deliver/prepare-delivery.ts'

export type Exchanged = {
  readonly httpStatus: number
  readonly retryAfter: string | null
  /** The first 2 KiB of the body. */
  readonly head: Uint8Array
}

/** The time over everything of an exchange ran out. */
export class DeadlineOver extends Error {}

/** A merchant has nothing to tell us that is longer. */
const maxAnswerBytes = 64 * 1024
const keptBytes = 2 * 1024

/**
 * One request and its answer, within one deadline. What is longer than we would ever keep costs its sender the connection.
 * undici's plain dispatch: a stream for each answer, of which we keep so little, made an exchange a third dearer.
 */
export function exchange(agent: Agent, request: OutboundRequest, deadlineMs: number): Promise<Exchanged> {
  const { origin, pathname, search } = new URL(request.url)
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | null = null
    let over: Error | null = null
    let httpStatus = 0
    let retryAfter: string | null = null
    const kept: Uint8Array[] = []
    let bytes = 0
    const timer = setTimeout(() => {
      over = new DeadlineOver('no whole answer in time')
      reject(over)
      // Null while it waits for its connection: then it is not begun.
      controller?.abort(over)
    }, deadlineMs)
    const end = (): void => {
      clearTimeout(timer)
      resolve({ httpStatus, retryAfter, head: Buffer.concat(kept) })
    }
    agent.dispatch(
      { origin, path: `${pathname}${search}`, method: 'POST', headers: request.headers, body: request.body },
      {
        onRequestStart(begun) {
          controller = begun
          if (over !== null) begun.abort(over)
        },
        onResponseStart(_controller, statusCode, headers) {
          httpStatus = statusCode
          const value = headers['retry-after']
          retryAfter = typeof value === 'string' ? value : null
        },
        onResponseData(answering, chunk) {
          if (bytes < keptBytes) kept.push(chunk.subarray(0, keptBytes - bytes))
          bytes += chunk.length
          if (bytes <= maxAnswerBytes) return
          end()
          answering.abort(new Error('the answer is too long'))
        },
        onResponseEnd: end,
        onResponseError(_controller, error) {
          clearTimeout(timer)
          reject(error)
        },
      },
    )
  })
}
