import { nairobiTimestamp } from '../../core/payment/nairobi-time.ts'
import { readReceipt } from '../../core/payment/receipt.ts'

type Maker = (old: string) => string

/** The ids of Daraja, by what they look like, and how the next one is made. */
const kinds: readonly { readonly fits: (text: string) => boolean; readonly next: (ports: IdPorts) => Maker }[] = [
  {
    fits: text => /^ws_CO_\d{26,}$/.test(text),
    // Nine digits of a phone number stand at its end.
    next:
      ({ now, digits }) =>
      old =>
        `ws_CO_${toDayFirst(nairobiTimestamp(now))}${digits(3)}${old.slice(-9)}`,
  },
  {
    fits: text => /^AG_\d{8}_[0-9a-f]+$/.test(text),
    next:
      ({ hex }) =>
      old =>
        `${old.slice(0, 12)}${hex(old.length - 12)}`,
  },
  {
    fits: text => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text),
    next:
      ({ hex }) =>
      () =>
        `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
  },
  {
    fits: text => /^[0-9a-f]{4}(?:-[0-9a-f]{4}){2}-[0-9a-f]{16}$/.test(text),
    next:
      ({ hex }) =>
      old =>
        `${old.slice(0, 15)}${hex(16)}`,
  },
  {
    fits: text => /^acme-\d{4}-\d{6}$/.test(text),
    next:
      ({ digits }) =>
      old =>
        `${old.slice(0, 10)}${digits(6)}`,
  },
  {
    fits: text => /^U[A-L][1-9A-V]/.test(text) && readReceipt(text) === text,
    next:
      ({ hex }) =>
      old =>
        `${old.slice(0, 3)}${hex(7).toUpperCase()}`,
  },
]

export type IdPorts = {
  readonly now: Date
  /** So many random characters. */
  readonly digits: (length: number) => string
  readonly hex: (length: number) => string
}

/** A body with other ids, so that it is no copy of one before it. What was the same id in two places is so again. */
export function withFreshIds<Body>(body: Body, ports: IdPorts): Body {
  const made = new Map<string, string>()
  return JSON.parse(JSON.stringify(body), (_key, value: unknown) => {
    if (typeof value !== 'string') return value
    const kind = kinds.find(({ fits }) => fits(value))
    if (kind === undefined) return value
    const next = made.get(value) ?? kind.next(ports)(value)
    made.set(value, next)
    return next
  }) as Body
}

/** `YYYYMMDDHHmmss` as `ddMMyyyyHHmmss`. [observed] */
function toDayFirst(timestamp: string): string {
  return `${timestamp.slice(6, 8)}${timestamp.slice(4, 6)}${timestamp.slice(0, 4)}${timestamp.slice(8)}`
}
