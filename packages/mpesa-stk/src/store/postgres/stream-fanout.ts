import { setTimeout } from 'node:timers/promises'
import type { StreamFanout } from '../../core/stream/stream-storage.ts'
import type { PostgresClient, PostgresPool } from './pool.ts'

type OnGrown = (appId: string | null) => void

const channel = 'mpesa_stk_streams'
/** The server takes less than 8,000. */
const mostBytes = 7_900
/** For when the apps that have grown are too many to be named: look at all. */
const everything = 'null'
const answerMs = 5_000
/** A connection of which only the other end is gone says nothing: it is asked. */
const askEveryMs = 30_000
const longestPauseMs = 10_000
const firstPauseMs = 100

/** Relays on one database hear of each other's streams by its NOTIFY. */
export class PostgresStreamFanout implements StreamFanout {
  readonly #pool: PostgresPool
  readonly #grown = new Map<string, number>()
  #isSending = false

  constructor(pool: PostgresPool) {
    this.#pool = pool
  }

  announce(heads: ReadonlyMap<string, number>): void {
    for (const [appId, head] of heads) this.#grown.set(appId, Math.max(head, this.#grown.get(appId) ?? 0))
    if (!this.#isSending) void this.#send()
  }

  async listen(onGrown: OnGrown): Promise<() => Promise<void>> {
    const stop = new AbortController()
    // A connection for good, which a pool of one does not have to spare.
    const done = this.#pool.options?.max === 1 ? Promise.resolve() : keepListening(this.#pool, onGrown, stop.signal)
    return async () => {
      stop.abort()
      await done
    }
  }

  /** One at a time: commits with a NOTIFY wait for each other in the whole server. What comes meanwhile goes together after it. */
  async #send(): Promise<void> {
    this.#isSending = true
    while (this.#grown.size > 0) {
      const heads = JSON.stringify(Object.fromEntries(this.#grown))
      this.#grown.clear()
      const payload = Buffer.byteLength(heads) < mostBytes ? heads : everything
      await this.#pool.query('SELECT pg_notify($1, $2)', [channel, payload]).catch(() => undefined)
    }
    this.#isSending = false
  }
}

async function keepListening(pool: PostgresPool, onGrown: OnGrown, signal: AbortSignal): Promise<void> {
  for (let failures = 0; !signal.aborted; ) {
    const outcome = await listenOnce(pool, onGrown, signal)
    if (outcome === 'unable') return
    failures = outcome === 'lost' ? 0 : failures + 1
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** failures)
    await setTimeout(pauseMs, undefined, { ref: false, signal }).catch(() => undefined)
  }
}

/** Until the connection is lost, or it is over. */
async function listenOnce(
  pool: PostgresPool,
  onGrown: OnGrown,
  signal: AbortSignal,
): Promise<'unable' | 'failed' | 'lost'> {
  const client = await connect(pool, signal)
  if (client === null) return 'failed'
  if (client.on === undefined) {
    client.release()
    return 'unable'
  }
  let isEnded = false
  let finish = (): void => {}
  const ended = new Promise<void>(resolve => {
    finish = () => {
      isEnded = true
      resolve()
    }
  })
  // It stays: a second event follows when the socket ends, and would end the process.
  client.on('error', finish)
  client.on('notification', ({ payload }) => tell(onGrown, payload))
  signal.addEventListener('abort', finish, { once: true })
  if (signal.aborted) finish()
  const answers = (text: string): Promise<boolean> =>
    Promise.race([
      client.query(text).then(
        () => !isEnded,
        () => false,
      ),
      ended.then(() => false),
      setTimeout(answerMs, false, { ref: false }),
    ])
  const isListening = await answers(`LISTEN ${channel}`)
  if (isListening) {
    client.unref?.()
    // What was announced before is missed.
    tell(onGrown, everything)
  }
  for (let isThere = isListening; isThere; ) {
    await Promise.race([ended, setTimeout(askEveryMs, undefined, { ref: false })])
    isThere = !isEnded && (await answers('SELECT 1'))
  }
  signal.removeEventListener('abort', finish)
  // Thrown away rather than given back: nobody else's queries should hear what it listens to.
  client.release(new Error('it listened'))
  return isListening ? 'lost' : 'failed'
}

/** Null where there is none, or nobody wants it any more. */
async function connect(pool: PostgresPool, signal: AbortSignal): Promise<PostgresClient | null> {
  const connecting = pool.connect()
  let giveUp = (): void => {}
  const aborted = new Promise<null>(resolve => {
    giveUp = () => resolve(null)
  })
  signal.addEventListener('abort', giveUp, { once: true })
  const client = await Promise.race([connecting.catch(() => null), aborted])
  signal.removeEventListener('abort', giveUp)
  if (client === null) {
    connecting.then(
      late => late.release(),
      () => undefined,
    )
  }
  return client
}

function tell(onGrown: OnGrown, payload = everything): void {
  try {
    const heads: unknown = JSON.parse(payload)
    if (typeof heads !== 'object' || heads === null) onGrown(null)
    else for (const appId of Object.keys(heads)) onGrown(appId)
  } catch {
    // Another's payload; or who was told has lost it, and looks by himself.
  }
}
