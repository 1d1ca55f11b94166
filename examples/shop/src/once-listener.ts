import type { Logger } from 'mpesa-stk'

/** What a callback came to, and when the shop knew. */
export type HeardCallback = { readonly at: string; readonly outcome: string }

/** Listens to what the shop's log says of callbacks, and shows nothing: the timeline tells it. */
export type CallbackListener = {
  readonly logger: Logger
  /** In order. */
  readonly heard: readonly HeardCallback[]
  /** Resolves with the next callback that the shop is told of. */
  next(): Promise<HeardCallback>
}

export function listenToCallbacks(): CallbackListener {
  const heard: HeardCallback[] = []
  let waiting: ((callback: HeardCallback) => void)[] = []
  const ignore = () => {}
  const logger: Logger = {
    info({ outcome }, message) {
      if (message !== 'callback') return
      const callback = { at: new Date().toISOString(), outcome: String(outcome) }
      heard.push(callback)
      for (const resolve of waiting) resolve(callback)
      waiting = []
    },
    warn: ignore,
    error: ignore,
  }
  return { logger, heard, next: () => new Promise(resolve => waiting.push(resolve)) }
}
