import { isIP, type LookupFunction } from 'node:net'
import { Agent, errors } from 'undici'
import type { AttemptAnswer } from '../core/deliver/judge-attempt.ts'
import type { OutboundRequest } from '../core/deliver/prepare-delivery.ts'
import { readRetryAfter } from '../core/deliver/retry-schedule.ts'
import { DeadlineOver, exchange } from './exchange.ts'
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
      try {
        agent ??= open()
        const { httpStatus, retryAfter, head } = await exchange(agent, { url, headers, body }, deadlineMs)
        const retryAfterMs = readRetryAfter(retryAfter, new Date())
        return { outcome: 'answered', httpStatus, retryAfterMs, head: utf8.decode(head) }
      } catch (error) {
        return { outcome: 'failed', ...classify(error) }
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
  if (protocol !== 'https:' && !(protocol === 'http:' && allowPrivateTargets)) {
    return allowPrivateTargets ? 'it is neither https nor http' : 'it is not https'
  }
  if (username !== '' || password !== '') return 'it holds a user name or a password'
  const host = hostname.replace(/^\[|\]$/g, '')
  return isIP(host) !== 0 && !allowPrivateTargets && !isPublicAddress(host) ? 'its address is not public' : null
}

class TargetRefused extends Error {}

function classify(error: unknown): {
  readonly failure: 'timeout' | 'connection' | 'target-refused'
  readonly message: string
} {
  const causes = [error, error instanceof Error ? error.cause : undefined]
  if (causes.some(each => each instanceof TargetRefused)) {
    return { failure: 'target-refused', message: 'its name leads to an address that is not public' }
  }
  const isTimeout =
    error instanceof DeadlineOver ||
    error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError
  if (isTimeout) return { failure: 'timeout', message: 'no whole answer in time' }
  const code = error instanceof Error ? (Reflect.get(error, 'code') ?? error.name) : 'unknown'
  return { failure: 'connection', message: String(code).slice(0, 60) }
}
