import { MpesaStkError } from '../../core/errors.ts'

type Container = Record<string, unknown> | unknown[]

const forbidden: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])
const maxListLength = 1_000

/**
 * Sets a value in a body. `assignment` is `path=value`: names with dots between them, in a list its index or the `Name` or `Key`
 * of an item, whose value is then meant. A value that is JSON of a number, a boolean, null or a text in quotes is taken for
 * that, anything else for the text that it is.
 *
 * @throws MpesaStkError `MPESA_STK_CLI_USAGE`
 */
export function setPath(body: object, assignment: string): void {
  const at = assignment.indexOf('=')
  const names = assignment.slice(0, at).split('.')
  if (at < 1 || names.includes('')) throw usage('--set takes path=value, e.g. Body.stkCallback.ResultCode=1032')
  const bad = names.find(name => forbidden.has(name))
  if (bad !== undefined) throw usage(`--set cannot set ${bad}`)
  let container = body as Container
  for (const [index, name] of names.entries()) {
    const isLast = index === names.length - 1
    const item = Array.isArray(container) ? itemNamed(container, name) : undefined
    // The item of a list that was named: what is meant is the value in it.
    const [holder, key] = item ?? [container, name]
    if (Array.isArray(holder)) checkIndex(holder, key)
    if (isLast) {
      Reflect.set(holder, key, readValue(assignment.slice(at + 1)))
      return
    }
    const next: unknown = Object.hasOwn(holder, key) ? Reflect.get(holder, key) : undefined
    if (next === undefined) Reflect.set(holder, key, {})
    else if (typeof next !== 'object' || next === null)
      throw usage(`--set: ${names.slice(0, index + 1).join('.')} holds no fields`)
    container = Reflect.get(holder, key) as Container
  }
}

/** Where the value of a `{ Name, Value }`, `{ name, value }` or `{ Key, Value }` is. */
function itemNamed(list: readonly unknown[], name: string): readonly [Container, string] | undefined {
  for (const item of list) {
    if (typeof item !== 'object' || item === null) continue
    const key = ['Name', 'Key', 'name'].find(each => Reflect.get(item, each) === name)
    if (key !== undefined) return [item as Container, key === 'name' ? 'value' : 'Value']
  }
  return undefined
}

function checkIndex(list: readonly unknown[], key: string): void {
  if (/^\d{1,4}$/.test(key) && Number(key) <= Math.min(list.length, maxListLength)) return
  throw usage(`--set: a list has no item ${key}`)
}

/** A number that JSON would round stays the text that it is. */
function readValue(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    const isExact = typeof value !== 'number' || !Number.isInteger(value) || Number.isSafeInteger(value)
    return typeof value === 'object' && value !== null ? text : isExact ? value : text
  } catch {
    return text
  }
}

function usage(message: string): MpesaStkError {
  return new MpesaStkError('MPESA_STK_CLI_USAGE', message)
}
