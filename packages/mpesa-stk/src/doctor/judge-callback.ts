import { isPublicAddress } from '../outbound/target-address.ts'
import { type Finding, type FindingText, findingsOf } from './finding.ts'
import { isLoopback } from './loopback.ts'

export const callbackTexts = {
  'callback-missing': {
    level: 'error',
    what: 'MPESA_CALLBACK_URL is not set',
    why: 'without it no push can be sent, and no payment would ever be reported to you',
    mend: 'set MPESA_CALLBACK_URL to your https domain and the hookUrl that `mpesa-stk apps create` gave',
  },
  'callback-malformed': {
    level: 'error',
    what: 'MPESA_CALLBACK_URL is no absolute URL',
    why: 'Daraja refuses the push with 400.002.02 (Invalid CallBackURL)',
    mend: 'set MPESA_CALLBACK_URL to https://your-domain/…',
  },
  'callback-not-https': {
    level: 'error',
    what: 'MPESA_CALLBACK_URL is not https',
    why: 'Daraja refuses it, and what is sent in the clear tells everybody on the way who paid what',
    mend: 'put a proxy with a certificate before it and set MPESA_CALLBACK_URL to the https address',
  },
  'callback-private': {
    level: 'error',
    what: 'MPESA_CALLBACK_URL leads to {host}, which is no public address',
    why: 'Safaricom cannot reach it: customers pay, and you never hear of it',
    mend: 'set MPESA_CALLBACK_URL to a name that leads to a public address; to develop, point MPESA_BASE_URL at the simulator instead',
  },
  'callback-unresolvable': {
    level: 'error',
    what: 'the host of MPESA_CALLBACK_URL, {host}, has no address',
    why: 'Safaricom cannot find it: customers pay, and you never hear of it',
    mend: 'add the DNS record of {host}, or mend the spelling in MPESA_CALLBACK_URL',
  },
  'callback-unreachable': {
    level: 'error',
    what: 'nobody answers at {host} ({code})',
    why: 'Safaricom may post a callback only once: what finds nobody is lost',
    mend: 'start what takes callbacks (`mpesa-stk relay`) and look at proxy, port and certificate with `curl -v https://{host}`',
  },
  'callback-answers-error': {
    level: 'error',
    what: 'what answers at MPESA_CALLBACK_URL says HTTP {status}',
    why: 'a callback that is answered with a server error is lost: Safaricom may post it only once',
    mend: 'look into the log of the proxy and of what is behind it; is the relay running (`curl http://127.0.0.1:3000/readyz`)?',
  },
  'callback-redirects': {
    level: 'error',
    what: 'MPESA_CALLBACK_URL answers with a redirect (HTTP {status})',
    why: 'nobody has seen Safaricom follow one, and a POST that is redirected loses its body',
    mend: 'set MPESA_CALLBACK_URL to the address that the redirect leads to (mind http/https, www and the slash at the end)',
  },
  'callback-no-relay': {
    level: 'error',
    what: 'MPESA_CALLBACK_URL looks like a hook of a relay, and what answers there is none (HTTP {status})',
    why: 'callbacks go to somebody who does not keep them',
    mend: 'let the proxy pass /hooks/ to the relay’s HOST and PORT unchanged',
  },
  'callback-forbidden-word': {
    level: 'warning',
    what: 'MPESA_CALLBACK_URL contains “{word}”',
    why: 'Safaricom refuses C2B URLs with it in production, and one domain usually serves both; STK pushes with such words passed in the sandbox',
    mend: 'choose an address without it (mpesa, safaricom, exe, cmd, sql, query, public tunnels), e.g. https://pay.your-domain/hooks/…',
  },
} as const satisfies Record<string, FindingText>

const find = findingsOf('callback-url', callbackTexts)

/** [documented] for C2B registration; `exec` has `exe` in it. */
const forbiddenWords = [
  ...['mpesa', 'm-pesa', 'safaricom', 'exe', 'cmd', 'sql', 'query'],
  ...['ngrok', 'mockbin', 'requestbin'],
]

export type CallbackFacts = {
  readonly url: string | null
  /** A simulator on this machine calls back: it may do so here, and without TLS. */
  readonly isDarajaHere: boolean
  /** Of its host; null where nobody was asked. */
  readonly addresses: readonly string[] | null
  /** What answered a GET; null where it was not sent. */
  readonly answer: { readonly failure: string } | { readonly httpStatus: number; readonly isRelay: boolean } | null
}

export function judgeCallback(facts: CallbackFacts): Finding[] {
  const { url, isDarajaHere, addresses, answer } = facts
  if (url === null) return [find('callback-missing')]
  if (!URL.canParse(url)) return [find('callback-malformed')]
  const { protocol, host, hostname, pathname } = new URL(url)
  const word = forbiddenWords.find(each => url.toLowerCase().includes(each))
  const wording = word === undefined ? [] : [find('callback-forbidden-word', { word })]
  const transport = protocol === 'https:' || isDarajaHere ? [] : [find('callback-not-https')]
  const address = isDarajaHere && addresses?.length !== 0 ? [] : judgeAddress(hostname, addresses)
  return [...transport, ...address, ...judgeAnswer(answer, host, pathname.includes('/hooks/')), ...wording]
}

function judgeAddress(hostname: string, addresses: CallbackFacts['addresses']): Finding[] {
  if (addresses?.length === 0) return [find('callback-unresolvable', { host: hostname })]
  const bare = hostname.replace(/^\[|\]$/g, '')
  const isAddress = /^[\d.]+$|:/.test(bare)
  const isPrivate =
    isLoopback(bare) || [...(addresses ?? []), ...(isAddress ? [bare] : [])].some(a => !isPublicAddress(a))
  return isPrivate ? [find('callback-private', { host: hostname })] : []
}

function judgeAnswer(answer: CallbackFacts['answer'], host: string, isHook: boolean): Finding[] {
  if (answer === null) return []
  if ('failure' in answer) return [find('callback-unreachable', { host, code: answer.failure })]
  const { httpStatus: status, isRelay } = answer
  if (status >= 500) return [find('callback-answers-error', { status })]
  if (status >= 300 && status < 400) return [find('callback-redirects', { status })]
  // Whatever else is said to a GET is fine: a route of one's own takes POST alone.
  return isHook && !isRelay ? [find('callback-no-relay', { status })] : []
}
