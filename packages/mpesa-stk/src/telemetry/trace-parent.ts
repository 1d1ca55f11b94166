import { isSpanContextValid, type SpanContext } from '@opentelemetry/api'

/** A trace and a span of it as W3C's `traceparent` has them: `00-<trace id>-<span id>-<flags>`. */
export function writeTraceParent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`
}

/** Null for what is none. Later versions may have more behind the flags. */
export function readTraceParent(text: string): SpanContext | null {
  const [, version = 'ff', traceId = '', spanId = '', flags = '', more] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(text.trim()) ?? []
  if (version === 'ff' || (version === '00' && more !== undefined)) return null
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
  return isSpanContextValid(context) ? context : null
}
