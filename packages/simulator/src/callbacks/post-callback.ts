import type { CallbackAttempt } from '../transaction.ts'

const longestResponse = 2_000

type PostOutcome = Pick<CallbackAttempt, 'status' | 'httpStatus' | 'responseBody' | 'error'>

/** Posts one body once. Never throws, follows no redirect, and reads no more of the answer than it keeps. */
export async function postCallback(
  url: string,
  body: string,
  limits: { readonly deadlineMs: number; readonly closing: AbortSignal },
): Promise<PostOutcome> {
  // One deadline over connecting, sending and the whole answer: a receiver that drips bytes is not waited for either.
  const deadline = new AbortController()
  const timer = setTimeout(
    () => deadline.abort(new Error(`no answer within ${limits.deadlineMs} ms`)),
    limits.deadlineMs,
  )
  const signal = AbortSignal.any([deadline.signal, limits.closing])
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: '*/*', 'user-agent': 'daraja-simulator' },
      body,
      redirect: 'manual',
      signal,
    })
    const responseBody = await readStart(response)
    const status = response.status === 200 ? 'acknowledged' : 'refused'
    return { status, httpStatus: response.status, responseBody }
  } catch (error) {
    return { status: 'failed', error: describeFailure(signal.aborted ? signal.reason : error) }
  } finally {
    clearTimeout(timer)
  }
}

async function readStart(response: Response): Promise<string> {
  if (!response.body) return ''
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  while (text.length < longestResponse) {
    const { done, value } = await reader.read()
    if (done) return text
    text += decoder.decode(value, { stream: true })
  }
  await reader.cancel()
  return text.slice(0, longestResponse)
}

// fetch says only "fetch failed"; the reason (ECONNREFUSED …) is in its cause.
function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause
  if (!(cause instanceof Error)) return error.message
  return 'code' in cause && typeof cause.code === 'string' ? `${cause.code}: ${cause.message}` : cause.message
}
