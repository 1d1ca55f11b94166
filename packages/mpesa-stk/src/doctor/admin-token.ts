import { type Check, setting } from './check.ts'
import { type Finding, type FindingText, findingsOf } from './finding.ts'
import { isLoopback } from './loopback.ts'
import { findRelayFolder, noRelay } from './relay-folder.ts'

const texts = {
  'admin-token-missing': {
    level: 'error',
    what: 'the relay listens on {host}, and RELAY_ADMIN_TOKEN is not set',
    why: 'a proxy or a container’s network can make a stranger look like this machine, who is then the operator: he makes apps and reads every payment',
    mend: 'set RELAY_ADMIN_TOKEN to the output of `openssl rand -hex 32`, or HOST=127.0.0.1',
  },
  'admin-token-behind-proxy': {
    level: 'error',
    what: 'there is a proxy (RELAY_TRUSTED_PROXIES), and RELAY_ADMIN_TOKEN is not set',
    why: 'a proxy that leaves no trace looks like this machine, so whoever comes through it is the operator: he makes apps and reads every payment',
    mend: 'set RELAY_ADMIN_TOKEN to the output of `openssl rand -hex 32`',
  },
} as const satisfies Record<string, FindingText>

const find = findingsOf('admin-token', texts)

type TokenFacts = { readonly host: string; readonly hasToken: boolean; readonly hasProxy: boolean }

export const adminToken: Check = {
  name: 'admin-token',
  about: 'who may operate the relay',
  texts,
  async run(surroundings) {
    if (findRelayFolder(surroundings) === null) return { skipped: noRelay }
    return judgeToken({
      host: setting(surroundings, 'HOST') ?? '127.0.0.1',
      hasToken: setting(surroundings, 'RELAY_ADMIN_TOKEN') !== null,
      hasProxy: setting(surroundings, 'RELAY_TRUSTED_PROXIES') !== null,
    })
  },
}

function judgeToken({ host, hasToken, hasProxy }: TokenFacts): Finding[] {
  if (hasToken) return []
  if (!isLoopback(host)) return [find('admin-token-missing', { host })]
  return hasProxy ? [find('admin-token-behind-proxy')] : []
}
