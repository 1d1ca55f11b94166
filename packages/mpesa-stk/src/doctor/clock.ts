import type { Check, Skipped, Surroundings } from './check.ts'
import { isSkipped } from './check.ts'
import { resolveBaseUrl } from './daraja-address.ts'
import { type Finding, type FindingText, findingsOf } from './finding.ts'
import { notUsed, readLibrarySettings } from './library-settings.ts'

const texts = {
  'clock-off': {
    level: 'error',
    what: 'this machine’s clock is {seconds} s {direction} Daraja’s',
    why: 'the timestamp in every push’s password, token lifetimes, leases and the times of signatures go by it: pushes are refused, and merchants turn deliveries away as too old',
    mend: 'let the machine keep its time: `timedatectl set-ntp true` (or chrony), then `mpesa-stk doctor` again',
  },
  'clock-drifts': {
    level: 'warning',
    what: 'this machine’s clock is {seconds} s {direction} Daraja’s',
    why: 'nothing breaks yet, but trails and statements no longer tell the same times, and what drifts goes on drifting',
    mend: 'let the machine keep its time: `timedatectl set-ntp true` (or chrony)',
  },
} as const satisfies Record<string, FindingText>

const find = findingsOf('clock', texts)

type ClockFacts = {
  /** Positive when this machine is ahead. */
  readonly aheadMs: number
  /** A Date header has whole seconds, and an answer takes its time. */
  readonly uncertaintyMs: number
}

/** Merchants that verify Standard Webhooks allow five minutes; Daraja's own tolerance is not known. */
const offMs = 60_000
const driftsMs = 10_000

export const clock: Check = {
  name: 'clock',
  about: 'this machine’s clock against Daraja’s',
  texts,
  async run(surroundings) {
    const facts = await gatherClock(surroundings)
    return isSkipped(facts) ? facts : judgeClock(facts)
  },
}

function judgeClock({ aheadMs, uncertaintyMs }: ClockFacts): Finding[] {
  const sureMs = Math.abs(aheadMs) - uncertaintyMs
  if (sureMs < driftsMs) return []
  const seconds = Math.round(Math.abs(aheadMs) / 1_000)
  return [
    find(sureMs < offMs ? 'clock-drifts' : 'clock-off', { seconds, direction: aheadMs > 0 ? 'ahead of' : 'behind' }),
  ]
}

async function gatherClock(surroundings: Surroundings): Promise<ClockFacts | Skipped> {
  const library = readLibrarySettings(surroundings)
  if (library === null) return { skipped: notUsed }
  if (surroundings.isOffline) return { skipped: 'it asks Daraja, and --offline was said' }
  const baseUrl = resolveBaseUrl(library)
  if (baseUrl === null) return { skipped: 'neither MPESA_ENVIRONMENT nor MPESA_BASE_URL says which Daraja to ask' }
  // Without credentials it is refused, and no token is made that would cancel the one in use.
  const began = performance.now()
  const response = await fetch(`${baseUrl}/oauth/v1/generate?grant_type=client_credentials`, {
    redirect: 'manual',
    signal: surroundings.signal,
  }).catch(() => null)
  const tookMs = performance.now() - began
  await response?.body?.cancel()
  const date = Date.parse(response?.headers.get('date') ?? '')
  if (Number.isNaN(date)) return { skipped: 'Daraja gave no answer that tells its time' }
  return { aheadMs: Date.now() - tookMs / 2 - (date + 500), uncertaintyMs: 500 + tookMs / 2 }
}
