import { SpanKind, trace } from '@opentelemetry/api'
import { paidBody } from '../e2e/callback-bodies.ts'
import { classifyCallback } from '../packages/mpesa-stk/src/core/receive/classify-callback.ts'
import { sendTraced, startReceive, startRecords } from '../packages/mpesa-stk/src/telemetry/relay-spans.ts'
import { isTracing } from '../packages/mpesa-stk/src/telemetry/trace.ts'
import type { Measurement } from './measurement.ts'

const limit = 'reading what a callback says, which the relay does in any case'
const rounds = 20
const calls = 20_000
const callsWithoutCollection = 4_000

const body = new TextEncoder().encode(JSON.stringify(paidBody('ws_CO_1', 'UHH0AB12CD')))
const event = { id: 'event', appId: 'app', kind: 'stk', attemptCount: 0, traceParent: null }
const batch = [event]
const request = { url: 'https://shop.example/', headers: {}, body: '' }
const answering = Promise.resolve({ outcome: 'failed', failure: 'timeout', message: '' } as const)
const send = () => answering

/** What the work made last: else the engine may leave out making it. */
const kept: { last: unknown } = { last: null }

const works = {
  /** All that is asked of tracing between a callback and the answer of its merchant. */
  asked: () => {
    if (isTracing()) startReceive(null)
    kept.last = startRecords(batch)
    kept.last = sendTraced('deliver callback', send, request, event)
  },
  nothing: () => {
    kept.last = null
    kept.last = send()
  },
  /** As it would be through the API alone, whose spans of nobody are objects as well. */
  spans: () => {
    for (const name of ['receive', 'record', 'deliver']) {
      kept.last = trace.getTracer('bench').startSpan(name, { kind: SpanKind.INTERNAL })
    }
    kept.last = send()
  },
  read: () => {
    kept.last = classifyCallback(body)
  },
} as const

type Work = keyof typeof works

/**
 * What tracing costs each callback where nobody has registered an SDK: in time, the median of rounds in turn, and on the heap.
 */
export async function tracing(): Promise<Measurement[]> {
  if (isTracing()) throw new Error('an SDK is registered')
  const microseconds: Record<Work, number[]> = { asked: [], nothing: [], spans: [], read: [] }
  const names = Object.keys(works) as Work[]
  for (let round = 0; round < rounds; round++) {
    for (const name of names) microseconds[name].push(timeOf(works[name]))
  }
  const median = (name: Work): number => microseconds[name].toSorted((a, b) => a - b)[rounds / 2] ?? 0
  const time = (name: string, value: number): Measurement => ({ name, value, unit: 'microseconds', shareOf: limit })
  const heap = (name: string, work: Work): Measurement => ({ name, value: bytesOf(works[work]), unit: 'bytes' })
  return [
    { name: limit, value: median('read'), unit: 'microseconds' },
    time('asking whether anybody traces it', median('asked') - median('nothing')),
    time('three spans of nobody, had we made them', median('spans') - median('nothing')),
    heap('heap of a callback: nothing is asked', 'nothing'),
    heap('heap of a callback: whether anybody traces it', 'asked'),
    heap('heap of a callback: three spans of nobody', 'spans'),
  ]
}

function timeOf(work: () => void): number {
  const began = performance.now()
  for (let call = 0; call < calls; call++) work()
  return ((performance.now() - began) * 1_000) / calls
}

/** What is on the heap after so many calls that was not before: too little for a collection to come in between. */
function bytesOf(work: () => void): number {
  const before = process.memoryUsage().heapUsed
  for (let call = 0; call < callsWithoutCollection; call++) work()
  return Math.max(0, process.memoryUsage().heapUsed - before) / callsWithoutCollection
}
