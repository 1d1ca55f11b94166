import ipaddr from 'ipaddr.js'
import { type Check, setting } from './check.ts'
import { type Finding, type FindingText, findingsOf } from './finding.ts'
import { isLoopback } from './loopback.ts'
import { findRelayFolder, noRelay } from './relay-folder.ts'

const texts = {
  'allow-list-unknown': {
    level: 'error',
    what: 'RELAY_SOURCE_ALLOW_LIST is none of off, observe and enforce',
    why: 'the relay refuses to start, or takes callbacks from everybody',
    mend: 'set RELAY_SOURCE_ALLOW_LIST=observe, and enforce once its log shows nobody but Safaricom',
  },
  'allow-list-off': {
    level: 'warning',
    what: 'the relay takes callbacks from any address, in production',
    why: 'callbacks are not signed: who learns the address of a hook can post that a payment was made',
    mend: 'set RELAY_SOURCE_ALLOW_LIST=observe, and enforce once its log shows nobody but Safaricom; MPESA_STK’s callbackToken and confirmSuccess guard as well',
  },
  'proxies-malformed': {
    level: 'error',
    what: 'RELAY_TRUSTED_PROXIES has an entry that is neither an address nor a CIDR (entry {number})',
    why: 'the relay refuses to start, or takes the proxy for the sender',
    mend: 'list addresses or blocks with commas between them, as RELAY_TRUSTED_PROXIES=10.0.0.5,10.1.0.0/16',
  },
  'proxy-refused': {
    level: 'error',
    what: 'the allow-list is enforced behind a proxy, and RELAY_TRUSTED_PROXIES is not set',
    why: 'every callback seems to come from the proxy and is refused: customers pay, and you never hear of it',
    mend: 'set RELAY_TRUSTED_PROXIES to the address of the proxy (127.0.0.1 if it is on this machine)',
  },
  'proxy-observed': {
    level: 'warning',
    what: 'the allow-list observes behind a proxy, and RELAY_TRUSTED_PROXIES is not set',
    why: 'every callback seems to come from the proxy, so that nothing is learnt, and to enforce would refuse them all',
    mend: 'set RELAY_TRUSTED_PROXIES to the address of the proxy (127.0.0.1 if it is on this machine)',
  },
} as const satisfies Record<string, FindingText>

const find = findingsOf('allow-list', texts)

const modes = ['off', 'observe', 'enforce']

type AllowListFacts = {
  readonly mode: string
  readonly proxies: readonly string[]
  readonly isProduction: boolean
  /** The relay speaks no TLS, and may listen for this machine alone: then somebody stands before it. */
  readonly isBehindProxy: boolean
}

export const allowList: Check = {
  name: 'allow-list',
  about: 'whose callbacks the relay takes',
  texts,
  async run(surroundings) {
    if (findRelayFolder(surroundings) === null) return { skipped: noRelay }
    const callbackUrl = setting(surroundings, 'MPESA_CALLBACK_URL') ?? ''
    const isProduction = setting(surroundings, 'MPESA_ENVIRONMENT') === 'production'
    return judgeAllowList({
      mode: setting(surroundings, 'RELAY_SOURCE_ALLOW_LIST') ?? 'observe',
      proxies: setting(surroundings, 'RELAY_TRUSTED_PROXIES')?.split(',') ?? [],
      isProduction,
      isBehindProxy:
        /^https:/i.test(callbackUrl) || (isProduction && isLoopback(setting(surroundings, 'HOST') ?? '127.0.0.1')),
    })
  },
}

function judgeAllowList({ mode, proxies, isProduction, isBehindProxy }: AllowListFacts): Finding[] {
  const bad = proxies.findIndex(entry => !isAddressOrBlock(entry.trim()))
  const malformed = bad === -1 ? [] : [find('proxies-malformed', { number: bad + 1 })]
  if (!modes.includes(mode)) return [find('allow-list-unknown'), ...malformed]
  if (mode === 'off') return [...(isProduction ? [find('allow-list-off')] : []), ...malformed]
  if (!isBehindProxy || proxies.length > 0) return malformed
  return [find(mode === 'enforce' ? 'proxy-refused' : 'proxy-observed')]
}

function isAddressOrBlock(text: string): boolean {
  return ipaddr.isValid(text) || ipaddr.isValidCIDR(text)
}
