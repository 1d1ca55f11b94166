import { lookup, NODATA, NOTFOUND, Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export type Address = { readonly address: string; readonly family: number }

/** The addresses of a host. Rejects when there are none. */
export type LookUp = (host: string) => Promise<readonly Address[]>

const keptForMs = 5_000
const maxKept = 10_000
/** Some name servers drop what they do not know of. */
const patienceForSixMs = 300
const triesEach = { timeout: 2_000, tries: 2 }

/**
 * Looks names up, each once within five seconds however many ask: not by the system's resolver, whose few threads one name
 * server that hangs would keep from everybody else. What the name servers do not know is asked of that after all: the names of
 * a hosts file.
 *
 * @param servers name servers, as `address:port`; default: the system's
 */
export function createLookUp(servers?: readonly string[]): LookUp {
  const open = (): Resolver => {
    const resolver = new Resolver(triesEach)
    if (servers !== undefined) resolver.setServers([...servers])
    return resolver
  }
  let resolver = open()
  const kept = new Map<string, { readonly addresses: Promise<readonly Address[]>; readonly untilMs: number }>()
  const hasHostsFile = servers === undefined

  async function ask(host: string): Promise<readonly Address[]> {
    const isLocal = isIP(host) !== 0 || host === 'localhost' || !host.includes('.')
    if (isLocal && hasHostsFile) return lookup(host, { all: true, verbatim: true })
    try {
      return await resolve(resolver, host)
    } catch (error) {
      if (!isUnknown(error)) {
        // Its name servers are those of when it was made: the machine may have others by now.
        resolver = open()
        return resolve(resolver, host)
      }
      if (hasHostsFile) return lookup(host, { all: true, verbatim: true })
      throw error
    }
  }

  return host => {
    const nowMs = performance.now()
    const known = kept.get(host)
    if (known !== undefined && known.untilMs > nowMs) return known.addresses
    if (kept.size >= maxKept) kept.clear()
    const addresses = ask(host)
    kept.set(host, { addresses, untilMs: nowMs + keptForMs })
    // Whoever asks hears of it himself.
    addresses.catch(() => undefined)
    return addresses
  }
}

/** The addresses of both families; those of version 6 are not waited for long where there are others. */
async function resolve(resolver: Resolver, host: string): Promise<readonly Address[]> {
  const six = resolver.resolve6(host).then(
    addresses => toAddresses(addresses, 6),
    () => [],
  )
  try {
    const four = toAddresses(await resolver.resolve4(host), 4)
    return [...four, ...(await Promise.race([six, sleep(patienceForSixMs, [], { ref: false })]))]
  } catch (error) {
    const addresses = await six
    if (addresses.length > 0) return addresses
    throw error
  }
}

function toAddresses(addresses: readonly string[], family: number): readonly Address[] {
  return addresses.map(address => ({ address, family }))
}

function isUnknown(failure: unknown): boolean {
  const code = failure instanceof Error ? Reflect.get(failure, 'code') : undefined
  return code === NOTFOUND || code === NODATA
}
