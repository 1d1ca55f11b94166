import {
  type Attributes,
  context as activeContext,
  createContextKey,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  type SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { readTraceParent, writeTraceParent } from './trace-parent.ts'

const tracerName = 'mpesa-stk-relay'

/** By which OpenTelemetry's SDK and its instrumentations know that somebody else tells of what is done here. */
const suppressed = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')

/** Null where nobody traces. Asked for each span, and not once: an SDK may be registered after we were loaded. */
function findTracer(): Tracer | null {
  const provider = trace.getTracerProvider()
  // The API's own, before an SDK is registered: a span of it would be an object for nothing.
  return provider instanceof ProxyTracerProvider
    ? (provider.getDelegateTracer(tracerName) ?? null)
    : provider.getTracer(tracerName)
}

/** Whether an SDK is registered. */
export function isTracing(): boolean {
  return findTracer() !== null
}

/** Begins a span under a `traceparent`, or a trace of its own. Null where nobody traces: then no object is made for it. */
export function startSpan(name: string, kind: SpanKind, parent: string | null): Span | null {
  const tracer = findTracer()
  if (tracer === null) return null
  const remote = parent === null ? null : readTraceParent(parent)
  // Never what is active here: an instrumentation of HTTP continues whatever trace a stranger's request names.
  const context = remote === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, remote)
  return tracer.startSpan(name, { kind }, context)
}

/** As it is handed on, stored and sent. */
export function traceParentOf(span: Span): string {
  return writeTraceParent(span.spanContext())
}

/** Ends a span; `error` is the class of what went wrong. No attribute holds an app's id, a token or anything of a body. */
export function endSpan(span: Span, attributes: Attributes, error: string | null): void {
  span.setAttributes(attributes)
  if (error !== null) {
    span.setAttribute('error.type', error)
    span.setStatus({ code: SpanStatusCode.ERROR })
  }
  span.end()
}

/** Does work under a span, so that what else is instrumented, a driver or a log, is found beneath it. */
export function withinSpan<Result>(span: Span, work: () => Result): Result {
  return activeContext.with(trace.setSpan(activeContext.active(), span), work)
}

/** Does the very work that the span tells of: an instrumentation of the HTTP client would add a second `traceparent`. */
export function asSpan<Result>(span: Span, work: () => Result): Result {
  return withinSpan(span, () => activeContext.with(activeContext.active().setValue(suppressed, true), work))
}
