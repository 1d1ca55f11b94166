import { expect, test } from 'vitest'
import { readTraceParent, writeTraceParent } from './trace-parent.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'

test.each([
  [`00-${traceId}-${spanId}-01`, 1],
  [`00-${traceId}-${spanId}-00`, 0],
  [` 00-${traceId}-${spanId}-01 `, 1],
  // A version that there is not yet is read as this one, whatever comes behind.
  [`01-${traceId}-${spanId}-01`, 1],
  [`cc-${traceId}-${spanId}-03-more`, 3],
])('%s names a span', (text, traceFlags) => {
  const context = readTraceParent(text)
  expect(context).toEqual({ traceId, spanId, traceFlags, isRemote: true })
  expect(context && writeTraceParent(context)).toBe(`00-${traceId}-${spanId}-0${traceFlags}`)
})

test.each([
  '',
  '00',
  `00-${traceId}-${spanId}`,
  `00-${traceId}-${spanId}-1`,
  `00-${traceId}-${spanId}-01-more`,
  `ff-${traceId}-${spanId}-01`,
  `00-${traceId.toUpperCase()}-${spanId}-01`,
  `00-${'0'.repeat(32)}-${spanId}-01`,
  `00-${traceId}-${'0'.repeat(16)}-01`,
  `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`,
  `00-${traceId}-${spanId}-01\r\nx: y`,
])('%j names none', text => {
  expect(readTraceParent(text)).toBeNull()
})
