import { request } from '../daraja/http.ts'
import { createLookUp } from '../outbound/look-up.ts'
import { isPublicAddress } from '../outbound/target-address.ts'
import { type Check, isSkipped, type Skipped, type Surroundings } from './check.ts'
import { type CallbackFacts, callbackTexts, judgeCallback } from './judge-callback.ts'
import { isDarajaHere, notUsed, readLibrarySettings } from './library-settings.ts'

/** Whether Safaricom can call back. */
export const callbackUrl: Check = {
  name: 'callback-url',
  about: 'the address that Safaricom calls back',
  texts: callbackTexts,
  async run(surroundings) {
    const facts = await gatherCallback(surroundings)
    return isSkipped(facts) ? facts : judgeCallback(facts)
  },
}

const lookUp = createLookUp()

async function gatherCallback(surroundings: Surroundings): Promise<CallbackFacts | Skipped> {
  const library = readLibrarySettings(surroundings)
  if (library === null) return { skipped: notUsed }
  const url = library.callbackUrl
  const facts = { url, isDarajaHere: isDarajaHere(library) }
  const asksNothing = surroundings.isOffline || url === null || !URL.canParse(url)
  if (asksNothing) return { ...facts, addresses: null, answer: null }
  const { hostname } = new URL(url)
  const addresses = await lookUp(hostname.replace(/^\[|\]$/g, '')).then(
    found => found.map(({ address }) => address),
    () => [],
  )
  const isReachable = addresses.length > 0 && (facts.isDarajaHere || addresses.every(isPublicAddress))
  return { ...facts, addresses, answer: isReachable ? await knock(url, surroundings.signal) : null }
}

/** A GET: a hook keeps nothing of it, and says who it is. */
async function knock(url: string, signal: AbortSignal): Promise<NonNullable<CallbackFacts['answer']>> {
  const outcome = await request({
    method: 'GET',
    url,
    headers: {},
    deadline: AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
  })
  if (outcome.outcome !== 'answered') return { failure: outcome.code }
  const { httpStatus, body } = outcome.answer
  return { httpStatus, isRelay: body.includes('MPESA_STK_RELAY_') }
}
