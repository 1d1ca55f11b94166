import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'

/** A span as a test looks at it. */
export type SeenSpan = {
  readonly name: string
  readonly kind: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | null
  readonly isError: boolean
  readonly attributes: Readonly<Record<string, unknown>>
  /** All that is told of it, as text. */
  readonly text: string
}

/** OpenTelemetry's SDK, registered in this process until it is disposed of. */
export function recordSpans() {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  trace.setGlobalTracerProvider(provider)
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  return {
    spans: (): readonly SeenSpan[] => exporter.getFinishedSpans().map(see),
    named: (name: string): readonly SeenSpan[] =>
      exporter
        .getFinishedSpans()
        .map(see)
        .filter(span => span.name === name),
    async [Symbol.asyncDispose]() {
      trace.disable()
      context.disable()
      await provider.shutdown()
    },
  }
}

function see(span: ReadableSpan): SeenSpan {
  const { name, kind, attributes, events, links, status, parentSpanContext } = span
  const { traceId, spanId } = span.spanContext()
  return {
    name,
    kind: SpanKind[kind],
    traceId,
    spanId,
    parentSpanId: parentSpanContext?.spanId ?? null,
    isError: status.code === SpanStatusCode.ERROR,
    attributes,
    text: JSON.stringify({ name, attributes, events, links, status }),
  }
}
