import { expect, test } from 'vitest'
import { findPrivateData } from './watch-log-output.ts'

test.each([
  ['254712345678', 1],
  ['{"phone":"+254 712 345 678"}', 1],
  ["phoneNumber: '0712345678'", 1],
  ['ws_CO_17082026101502337708374149', 1],
  ['consumerSecret=the-consumer-secret', 1],
  ['authorization: Bearer exampleAccessToken0000000028', 1],
  ['2547*****678', 0],
  ['ws_CO_*****', 0],
  ['payment 01a0712345678b-7000 was settled', 0],
])('%s holds %i private things', (text, count) => {
  expect(findPrivateData(text)).toHaveLength(count)
})
