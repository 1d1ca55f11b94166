/** Reading JSON of strangers: nothing here throws, whatever the bytes or values are. */

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Undefined for what is no JSON, or no UTF-8. */
export function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(body))
  } catch {
    return undefined
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An object's own field, or undefined. */
export function field(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

/** The first of an object's own fields whose name is `name` but for case and spaces: Daraja writes some in several ways. */
export function fieldLike(value: unknown, name: string): unknown {
  if (!isObject(value)) return undefined
  const wanted = plain(name)
  const found = Object.keys(value).find(key => plain(key) === wanted)
  return found === undefined ? undefined : value[found]
}

function plain(name: string): string {
  return name.replaceAll(' ', '').toLowerCase()
}
