import { lookup, NODATA, NOTFOUND, Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'

export type Address = { readonly address: string; readonly family: number }

/** The addresses of a host. Rejects when there are none. */
export type LookUp = (host: string) => Promise<readonly Address[]>

const keptForMs = 5_000
const maxKept = 10_000
const triesEach = { timeout: 2_000, tries: 2 }

/**
 * Looks names up, each once within five seconds however many ask: not by the system's resolver, whose few threads one name
 * server that hangs would keep from everybody else. What the name servers do not know is asked of that after all: the names of
 * a hosts file.
 *
 * @param servers name servers, as `address:port`; default: the system's
 */
export function createLookUp(servers?: readonly string[]): LookUp {
  const resolver = new Resolver(triesEach)
  if (servers !== undefined) resolver.setServers([...servers])
  const kept = new Map<string, { readonly addresses: Promise<readonly Address[]>; readonly untilMs: number }>()
  return host => {
    const nowMs = performance.now()
    const known = kept.get(host)
    if (known !== undefined && known.untilMs > nowMs) return known.addresses
    if (kept.size >= maxKept) kept.clear()
    const addresses = resolve(resolver, host, servers === undefined)
    kept.set(host, { addresses, untilMs: nowMs + keptForMs })
    // Whoever asks hears of it himself.
    addresses.catch(() => undefined)
    return addresses
  }
}

async function resolve(resolver: Resolver, host: string, hasHostsFile: boolean): Promise<readonly Address[]> {
  const isLocal = isIP(host) !== 0 || host === 'localhost' || !host.includes('.')
  if (isLocal && hasHostsFile) return lookup(host, { all: true, verbatim: true })
  const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
  const addresses = [...toAddresses(four, 4), ...toAddresses(six, 6)]
  if (addresses.length > 0) return addresses
  const failure: unknown = four.status === 'rejected' ? four.reason : null
  if (hasHostsFile && isUnknown(failure)) return lookup(host, { all: true, verbatim: true })
  throw failure
}

function toAddresses(answer: PromiseSettledResult<string[]>, family: number): readonly Address[] {
  return answer.status === 'fulfilled' ? answer.value.map(address => ({ address, family })) : []
}

function isUnknown(failure: unknown): boolean {
  const code = failure instanceof Error ? Reflect.get(failure, 'code') : undefined
  return code === NOTFOUND || code === NODATA
}
