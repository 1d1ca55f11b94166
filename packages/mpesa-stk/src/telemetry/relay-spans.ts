import { type Span, SpanKind } from '@opentelemetry/api'
import { appMark } from '../core/deliver/app-mark.ts'
import type { AttemptAnswer } from '../core/deliver/judge-attempt.ts'
import type { OutboundRequest } from '../core/deliver/prepare-delivery.ts'
import { asSpan, endSpan, isTracing, startSpan, traceParentOf } from './trace.ts'

/** Begins what is traced of a callback: that it came, was recorded, and each attempt to deliver it. Null where nobody traces. */
export function startReceive(traceParent: string | null): Span | null {
  return startSpan('receive callback', SpanKind.SERVER, traceParent)
}

/** Without the path and the address that OpenTelemetry would have here: the one holds the app's id, the other is somebody's. */
export function endReceive(span: Span, route: string, appId: string, httpStatus: number): void {
  endSpan(
    span,
    {
      'http.request.method': 'POST',
      'http.route': route,
      'http.response.status_code': httpStatus,
      'mpesa_stk.app': appMark(appId),
    },
    httpStatus >= 500 ? String(httpStatus) : null,
  )
}

type RecordSpans = readonly { readonly index: number; readonly span: Span }[]

/** Begins a span for each event of a batch that has a trace. */
export function startRecords(events: readonly { readonly traceParent: string | null }[]): RecordSpans | null {
  if (!isTracing()) return null
  return events.flatMap(({ traceParent }, index) => {
    const span = traceParent === null ? null : startSpan('record callback', SpanKind.INTERNAL, traceParent)
    return span === null ? [] : [{ index, span }]
  })
}

/** Ends them with what became of the batch, which is returned. */
export async function endRecords<Recording extends { readonly outcome: string }>(
  spans: RecordSpans,
  batchSize: number,
  recording: Promise<readonly Recording[]>,
): Promise<readonly Recording[]> {
  const size = { 'mpesa_stk.batch.size': batchSize }
  try {
    const recordings = await recording
    for (const { index, span } of spans) {
      endSpan(span, { ...size, 'mpesa_stk.outcome': recordings[index]?.outcome ?? 'unknown' }, null)
    }
    return recordings
  } catch (cause) {
    for (const { span } of spans) endSpan(span, size, 'store')
    throw cause
  }
}

type PostedEvent = {
  readonly id: string
  readonly appId: string
  readonly kind: string
  readonly attemptCount: number
  readonly traceParent: string | null
}

/**
 * Sends a request to a merchant as a span, whose `traceparent` it carries. Where nobody traces here it carries the trace that
 * the event came with, if any. Without the merchant's host, which a multi-tenant one may name for its customer.
 */
export function sendTraced(
  name: string,
  send: (request: OutboundRequest) => Promise<AttemptAnswer>,
  request: OutboundRequest,
  event: PostedEvent,
): Promise<AttemptAnswer> {
  const span = startSpan(name, SpanKind.CLIENT, event.traceParent)
  if (span === null) return send(event.traceParent === null ? request : carrying(request, event.traceParent))
  return sendWithin(span, send, request, event)
}

/** Apart, because what a closure holds is an object from the beginning of its function. */
function sendWithin(
  span: Span,
  send: (request: OutboundRequest) => Promise<AttemptAnswer>,
  request: OutboundRequest,
  event: PostedEvent,
): Promise<AttemptAnswer> {
  const answering = asSpan(span, () => send(carrying(request, traceParentOf(span))))
  return endAttempt(span, event, answering)
}

async function endAttempt(span: Span, event: PostedEvent, answering: Promise<AttemptAnswer>): Promise<AttemptAnswer> {
  const attributes = {
    'http.request.method': 'POST',
    'mpesa_stk.app': appMark(event.appId),
    'mpesa_stk.event.id': event.id,
    'mpesa_stk.event.kind': event.kind,
    'mpesa_stk.attempt': event.attemptCount + 1,
  }
  try {
    const answer = await answering
    if (answer.outcome === 'failed') endSpan(span, attributes, answer.failure)
    else {
      const { httpStatus } = answer
      const isTaken = httpStatus >= 200 && httpStatus < 300
      endSpan(span, { ...attributes, 'http.response.status_code': httpStatus }, isTaken ? null : String(httpStatus))
    }
    return answer
  } catch (cause) {
    endSpan(span, attributes, 'unknown')
    throw cause
  }
}

function carrying(request: OutboundRequest, traceParent: string): OutboundRequest {
  return { ...request, headers: { ...request.headers, traceparent: traceParent } }
}
