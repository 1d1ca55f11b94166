import { keepRelayApp, type RelayApp, readRelayApp, toRelayApp } from './relay-app-file.ts'
import { StartFailure } from './start-failure.ts'

export type RelayAppWish = {
  /** Where it is kept over restarts. */
  readonly file: string
  readonly relayUrl: string
  /** Where the relay delivers. */
  readonly targetUrl: string
  /** The pauses after failed deliveries, in milliseconds. Default: the relay's. */
  readonly scheduleMs?: readonly number[] | undefined
}

/**
 * The shop's app at the relay: made over HTTP at the first start, as any merchant makes one, and kept. Later starts tell
 * the relay where the shop is now. A relay that does not know the app any more, because its data were deleted, gets a
 * new one. A process that dies before the app is kept leaves one that nobody uses.
 */
export async function findRelayApp(wish: RelayAppWish): Promise<RelayApp> {
  const kept = readRelayApp(wish.file)
  if (kept !== null && (await tellTarget(kept, wish)) === 'known') return kept
  const made = await makeApp(wish)
  keepRelayApp(wish.file, made)
  return made
}

/** Said at every start: an answer of 200 also proves that the relay has this app, under this secret. */
async function tellTarget(app: RelayApp, { relayUrl, targetUrl }: RelayAppWish): Promise<'known' | 'unknown'> {
  const response = await fetch(`${relayUrl}/apps/${app.appId}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${app.signingSecret}` },
    body: JSON.stringify({ targetUrl }),
  })
  // It tells nobody whether there is an app of which he has not the secret.
  if (response.status === 401 || response.status === 404) return 'unknown'
  if (!response.ok) throw await refusalOf(response)
  return 'known'
}

async function makeApp({ relayUrl, targetUrl, scheduleMs }: RelayAppWish): Promise<RelayApp> {
  const response = await fetch(`${relayUrl}/apps`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ targetUrl, ...(scheduleMs !== undefined && { scheduleMs }) }),
  })
  const app = response.ok ? toRelayApp(await response.json()) : null
  if (app === null) throw await refusalOf(response)
  return app
}

async function refusalOf(response: Response): Promise<StartFailure> {
  const code = /MPESA_STK_\w+/.exec(response.bodyUsed ? '' : await response.text())?.[0] ?? 'no code'
  return new StartFailure(
    `The relay does not take the shop: it answered ${response.status} (${code}). To begin with a new relay, delete the folder relay in the data folder; callbacks that wait in it are lost.`,
  )
}
