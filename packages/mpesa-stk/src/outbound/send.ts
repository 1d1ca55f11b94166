import { EventEmitter } from 'node:events'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, errors, request } from 'undici'
import type { AttemptAnswer } from '../core/deliver/judge-attempt.ts'
import type { OutboundRequest } from '../core/deliver/prepare-delivery.ts'
import { readRetryAfter } from '../core/deliver/retry-schedule.ts'
import { createLookUp, type LookUp } from './look-up.ts'
import { isPublicAddress } from './target-address.ts'

export type SenderOptions = {
  /** Also private and loopback addresses, and http: for development. */
  readonly allowPrivateTargets: boolean
  /** Over the look-up, the connection, the headers and the body. Default 10,000. */
  readonly deadlineMs?: number
  /** Looks a host up. Default: `createLookUp`. */
  readonly resolve?: LookUp
  /** What may be connected to. Default: `isPublicAddress`, or anything where private targets are allowed. */
  readonly isAllowed?: (address: string) => boolean
}

export type Sender = {
  send(request: OutboundRequest): Promise<AttemptAnswer>
  /** Cuts every connection. What is sent afterwards has new ones. */
  close(): Promise<void>
}

/** A merchant has nothing to tell us that is longer. */
const maxAnswerBytes = 64 * 1024
const keptBytes = 2 * 1024
const defaultDeadlineMs = 10_000
const maxRemembered = 10_000
const utf8 = new TextDecoder()

/**
 * Sends requests to targets that merchants chose, which may be hostile: a name is resolved by us, refused if any of its
 * addresses is not public, and connected to at the very address that was checked, so that an answer that changes between
 * two look-ups gains nothing. No redirect is followed, and one deadline covers everything.
 */
export function createSender({
  allowPrivateTargets,
  deadlineMs = defaultDeadlineMs,
  resolve = createLookUp(),
  isAllowed = address => allowPrivateTargets || isPublicAddress(address),
}: SenderOptions): Sender {
  /** undici asks it for every connection; a literal address never comes here, and is checked by `refusal`. */
  const guardedLookup: LookupFunction = (host, options, callback) => {
    resolve(host).then(
      addresses => {
        const [first] = addresses
        if (first === undefined || !addresses.every(({ address }) => isAllowed(address))) {
          callback(new TargetRefused('its name leads to an address that is not public'), '', 0)
        } else if (options.all) callback(null, [...addresses])
        else callback(null, first.address, first.family)
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    )
  }
  // As many connections as there are requests: how many there are of one app is the queue's to say, and apps that share an
  // origin must not wait for each other in here, with their deadline running.
  const open = (): Agent =>
    new Agent({
      connect: { lookup: guardedLookup, timeout: deadlineMs, rejectUnauthorized: true },
      headersTimeout: deadlineMs,
      bodyTimeout: deadlineMs,
      maxResponseSize: -1,
    })
  let agent: Agent | null = null
  const refusals = new Map<string, string | null>()
  function refusalOf(url: string): string | null {
    const known = refusals.get(url)
    if (known !== undefined) return known
    if (refusals.size >= maxRemembered) refusals.clear()
    const why = refusal(url, allowPrivateTargets)
    refusals.set(url, why)
    return why
  }
  return {
    async send({ url, headers, body }) {
      const why = refusalOf(url)
      if (why !== null) return { outcome: 'failed', failure: 'target-refused', message: why }
      const deadline = new Deadline(deadlineMs)
      try {
        agent ??= open()
        const response = await request(url, { method: 'POST', headers, body, dispatcher: agent, signal: deadline })
        const head = await readHead(response.body, deadline)
        const retryAfter = response.headers['retry-after']
        return {
          outcome: 'answered',
          httpStatus: response.statusCode,
          retryAfterMs: readRetryAfter(typeof retryAfter === 'string' ? retryAfter : null, new Date()),
          head,
        }
      } catch (error) {
        return { outcome: 'failed', ...classify(error, deadline) }
      } finally {
        deadline.forget()
      }
    },
    async close() {
      const closing = agent
      agent = null
      await closing?.destroy()
    },
  }
}

/** Why a URL is not one to post to; null for one that is. */
export function refusal(url: string, allowPrivateTargets: boolean): string | null {
  if (!URL.canParse(url)) return 'it is not a URL'
  const { protocol, hostname, username, password } = new URL(url)
  if (protocol !== 'https:' && !(protocol === 'http:' && allowPrivateTargets)) return 'it is not https'
  if (username !== '' || password !== '') return 'it holds a user name or a password'
  const host = hostname.replace(/^\[|\]$/g, '')
  return isIP(host) !== 0 && !allowPrivateTargets && !isPublicAddress(host) ? 'its address is not public' : null
}

class TargetRefused extends Error {}

/** Ends a request when its time is over. undici takes an emitter in the place of an AbortSignal, which costs ten times as much. */
class Deadline extends EventEmitter {
  isOver = false
  readonly #timer: NodeJS.Timeout

  constructor(ms: number) {
    super()
    this.#timer = setTimeout(() => {
      this.isOver = true
      this.emit('abort')
    }, ms)
  }

  forget(): void {
    clearTimeout(this.#timer)
  }
}

/**
 * Enough of an answer to be shown. The rest is not read: what is longer than we would ever keep costs its sender the
 * connection.
 */
async function readHead(body: AsyncIterable<Uint8Array> & { destroy(): unknown }, deadline: Deadline): Promise<string> {
  const kept: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    if (deadline.isOver) throw new Error('the deadline is over')
    if (bytes < keptBytes) kept.push(chunk.subarray(0, keptBytes - bytes))
    bytes += chunk.length
    if (bytes > maxAnswerBytes) {
      body.destroy()
      break
    }
  }
  return utf8.decode(Buffer.concat(kept))
}

function classify(
  error: unknown,
  deadline: Deadline,
): { readonly failure: 'timeout' | 'connection' | 'target-refused'; readonly message: string } {
  const causes = [error, error instanceof Error ? error.cause : undefined]
  if (causes.some(each => each instanceof TargetRefused)) {
    return { failure: 'target-refused', message: 'its name leads to an address that is not public' }
  }
  const isTimeout =
    deadline.isOver ||
    error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError
  if (isTimeout) return { failure: 'timeout', message: 'no whole answer in time' }
  const code = error instanceof Error ? (Reflect.get(error, 'code') ?? error.name) : 'unknown'
  return { failure: 'connection', message: String(code).slice(0, 60) }
}
