import { inspect } from 'node:util'
import { afterEach, expect } from 'vitest'

// Runs before every test file: whatever our code logs in any test goes through a detector for phone numbers and secrets.

/** Not the middle of an id or a hash: what stands alone. */
const alone = (pattern: string): RegExp => new RegExp(`(?<![\\da-z])${pattern}(?![\\da-z])`, 'i')

const detectors: Readonly<Record<string, RegExp>> = {
  'a phone number': alone('(?:\\+?254|0)[ -]?[17]\\d{2}[ -]?\\d{3}[ -]?\\d{3}'),
  'a CheckoutRequestID, which ends with a phone number': /ws_CO_\d{6,}/,
  'a secret': /the-consumer-secret|the-consumer-key|the-pass-key|the-audit-key|Bearer [\w.-]{20,}|Basic [\w+/=]{16,}/,
}

const leaks: string[] = []

/** What is private in a text that was logged; empty for a good one. */
export function findPrivateData(text: string): readonly string[] {
  return Object.entries(detectors)
    .filter(([, pattern]) => pattern.test(text))
    .map(([what]) => what)
}

/** Takes a line of a test's own logger, however deep its fields are. */
export function watchLogLine(line: unknown): void {
  watch(inspect(line, { depth: 20, breakLength: Number.POSITIVE_INFINITY, maxStringLength: null }))
}

function watch(text: string): void {
  for (const what of findPrivateData(text)) leaks.push(`${what}: ${text.trim()}`)
}

// The library's own logger, and anything else that complains.
const { stderr } = process
const write = stderr.write.bind(stderr)
stderr.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
  watch(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'))
  return Reflect.apply(write, stderr, [chunk, ...rest])
}

afterEach(() => {
  expect(leaks.splice(0), 'nothing that is logged may hold a phone number or a secret').toEqual([])
})
