/** Somebody who subscribes: with which token, to what. */
export type Subscriber = { readonly token: string; readonly streams: readonly string[] }

/** What the bench tells a process of subscribers. */
export type Order =
  /** Connects each, and subscribes it to its first stream. */
  | {
      readonly kind: 'open'
      readonly url: string
      readonly address: string
      readonly subscribers: readonly Subscriber[]
    }
  /** To the others as well. */
  | { readonly kind: 'all-streams' }
  /** The same by the published client, which comes back by itself. */
  | {
      readonly kind: 'open-clients'
      readonly url: string
      readonly address: string
      readonly subscribers: readonly Subscriber[]
    }
  | { readonly kind: 'report' }
  | { readonly kind: 'close' }

/** What it answers. */
export type Report = {
  /** How many streams are live now. */
  readonly live: number
  /** When the last of them became so, in milliseconds of the wall's clock. */
  readonly lastLiveAtMs: number
  /** The receipt of each event, and when it came. */
  readonly received: readonly (readonly [receipt: string, atMs: number])[]
}
