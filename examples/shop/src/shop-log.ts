import type { Logger } from 'mpesa-stk'

/** Warnings and errors as lines for a person; what goes as it should is not worth one. */
export function createShopLog(print: (line: string) => void): Logger {
  const write =
    (level: string): Logger['warn'] =>
    (fields, message) => {
      const facts = Object.entries(fields).map(([name, value]) => `${name}=${asText(value)}`)
      print([level, message, ...facts].join('  '))
    }
  return { info: () => {}, warn: write('warning'), error: write('error') }
}

/** A cause is told by its name and code only: its message may hold anything. The same where it was described already. */
function asText(value: unknown): string {
  if (typeof value === 'object' && value !== null && !(value instanceof Error)) {
    const { name, code } = value as Record<string, unknown>
    return [name, code].filter(part => typeof part === 'string').join(' ')
  }
  if (!(value instanceof Error)) return String(value)
  const code: unknown = Reflect.get(value, 'code')
  return typeof code === 'string' ? `${value.name} ${code}` : value.name
}
