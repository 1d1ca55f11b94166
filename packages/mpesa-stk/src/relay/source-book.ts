import type { Clock, Logger } from '../core/ports.ts'
import { isWithin, readAddress } from '../core/receive/address-range.ts'
import { isKnownSource, listingOf, type SourceListing } from '../core/receive/source-addresses.ts'
import { type ForwardedBy, sourceOf } from '../core/receive/source-of.ts'
import { type SourceCount, SourceCounts } from './source-counts.ts'
import type { SourceAllowListMode, SourceSettings } from './source-settings.ts'

export type SourceView = SourceCount & { readonly isKnown: boolean; readonly listing: SourceListing }

export type SourcePorts = {
  readonly clock: Clock
  readonly logger: Logger
  readonly monotonicMs: () => number
  readonly onSource: (isKnown: boolean) => void
}

const hourMs = 3_600_000
/** Addresses cost a stranger with IPv6 nothing: of so many within an hour a log has a line, and then it says that there are more. */
const maxLoggedAnHour = 100

/** Where callbacks come from: judges each, and counts them. In this process, since its start. */
export class SourceBook {
  readonly #ports: SourcePorts
  readonly #settings: SourceSettings
  // Apart: a flood of strangers pushes out nobody whom we know.
  readonly #known = new SourceCounts()
  readonly #unknown = new SourceCounts()
  /** In the order of their times. */
  readonly #loggedAtMs = new Map<string, number>()

  constructor(ports: SourcePorts, settings: SourceSettings) {
    this.#ports = ports
    this.#settings = settings
  }

  get mode(): SourceAllowListMode {
    return this.#settings.mode
  }

  /** Whether what the other end of a socket says about others counts. */
  isTrustedProxy(socketAddress: string | null): boolean {
    const { trustedProxies } = this.#settings
    return trustedProxies.length > 0 && isWithin(readAddress(socketAddress ?? '') ?? '', trustedProxies)
  }

  /** Where a request came from; null where nobody can tell. */
  addressOf(socketAddress: string | null, forwardedBy: ForwardedBy): string | null {
    return sourceOf(socketAddress, forwardedBy, this.#settings.trustedProxies)
  }

  /** Judges and counts a callback. The address, where it must not be taken for Safaricom's; else null. */
  judge(socketAddress: string | null, forwardedBy: ForwardedBy): string | null {
    const { mode, addresses, trustedProxies } = this.#settings
    if (mode === 'off') return null
    const source = sourceOf(socketAddress, forwardedBy, trustedProxies)
    const isKnown = source !== null && isKnownSource(listingOf(source, addresses))
    const address = source ?? 'unknown'
    const counts = isKnown ? this.#known : this.#unknown
    counts.note(address, this.#ports.clock.now())
    this.#ports.onSource(isKnown)
    if (isKnown) return null
    this.#log(address)
    return mode === 'enforce' ? address : null
  }

  /** The known before the unknown. */
  list(): readonly SourceView[] {
    const { addresses } = this.#settings
    return [this.#known, this.#unknown].flatMap(counts =>
      counts
        .list()
        .map(count => ({ ...count, isKnown: counts === this.#known, listing: listingOf(count.address, addresses) })),
    )
  }

  /** Each address once an hour. */
  #log(address: string): void {
    const { logger, monotonicMs } = this.#ports
    const { mode } = this.#settings
    const nowMs = monotonicMs()
    for (const [logged, atMs] of this.#loggedAtMs) {
      if (nowMs - atMs < hourMs) break
      this.#loggedAtMs.delete(logged)
    }
    const hasRoom = this.#loggedAtMs.has(address) || this.#loggedAtMs.size < maxLoggedAnHour
    const subject = hasRoom ? address : 'others'
    if (this.#loggedAtMs.has(subject)) return
    this.#loggedAtMs.set(subject, nowMs)
    if (!hasRoom) {
      logger.warn({ mode }, 'callbacks come from more unknown addresses than are logged: see GET /v1/sources')
    } else if (mode === 'enforce') {
      logger.warn({ source: address }, 'a callback from an address that is not known as Safaricom’s was held back')
    } else {
      logger.info(
        { source: address },
        'callbacks come from an address that is not known as Safaricom’s; if it is your proxy, set RELAY_TRUSTED_PROXIES',
      )
    }
  }
}
