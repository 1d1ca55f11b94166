import { SpanKind } from '@opentelemetry/api'
import { paidBody } from '../e2e/callback-bodies.ts'
import { classifyCallback } from '../packages/mpesa-stk/src/core/receive/classify-callback.ts'
import { sendTraced, startReceive, startRecords } from '../packages/mpesa-stk/src/telemetry/relay-spans.ts'
import { isTracing, startSpan } from '../packages/mpesa-stk/src/telemetry/trace.ts'
import { type Measurement, measureRate } from './measurement.ts'

const limit = 'a callback classified, and handed to three functions that do nothing'
const calls = 200_000

const body = new TextEncoder().encode(JSON.stringify(paidBody('ws_CO_1', 'UHH0AB12CD')))
const event = { id: 'event', appId: 'app', kind: 'stk', attemptCount: 0, traceParent: null }
const batch = [event]
const request = { url: 'https://shop.example/', headers: {}, body: '' }
const answering = Promise.resolve({ outcome: 'failed', failure: 'timeout', message: '' } as const)
const send = () => answering

/** What tracing costs each callback where nobody has registered an SDK, in time and in memory. */
export async function tracing(): Promise<Measurement[]> {
  if (isTracing()) throw new Error('an SDK is registered')
  return [
    ...(await measureRate(limit, () => runOne(doNothing))),
    ...(await measureRate('the same, and its spans asked for', () => runOne(trace))).map(each =>
      each.unit === 'per second' ? { ...each, shareOf: limit } : each,
    ),
    { name: 'memory that nothing takes for each callback', value: bytesOf(doNothing), unit: 'bytes' },
    { name: 'memory that its spans take', value: bytesOf(trace), unit: 'bytes' },
    { name: 'memory that one span of the API’s own would take', value: bytesOf(makeSpan), unit: 'bytes' },
  ]
}

function runOne(work: () => unknown): void {
  classifyCallback(body)
  work()
}

/** All that is asked of tracing between a callback and the answer of its merchant. */
function trace(): unknown {
  if (isTracing()) startReceive(null)
  startRecords(batch)
  return sendTraced('deliver callback', send, request, event)
}

function doNothing(): unknown {
  return send()
}

function makeSpan(): unknown {
  return { span: startSpan('receive callback', SpanKind.SERVER, null), options: { kind: SpanKind.SERVER } }
}

/** What is on the heap after so many calls that was not before: too little for a collection to come in between. */
function bytesOf(work: () => unknown): number {
  for (let call = 0; call < calls; call++) work()
  const before = process.memoryUsage().heapUsed
  for (let call = 0; call < calls; call++) work()
  return Math.max(0, process.memoryUsage().heapUsed - before) / calls
}
