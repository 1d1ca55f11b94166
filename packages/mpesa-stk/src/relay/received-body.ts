/** What came in at a hook, before anybody looked into it. */
export type ReceivedBody = {
  readonly appId: string
  readonly token: string | null
  /** At most the first 256 KiB. */
  readonly body: Uint8Array
  /** How long it was. */
  readonly length: number
  readonly receivedAt: Date
  /** The address that it came from, where the allow-list is enforced and does not know it: then it is nobody's event. */
  readonly unknownSource: string | null
  /** The `traceparent` of the span that received it; null where nobody traces. */
  readonly traceParent: string | null
}

/** Hundreds of times a real callback. */
export const maxBodyBytes = 256 * 1024

/** As a record of the spool. */
export function encodeReceived({ body, receivedAt, ...rest }: ReceivedBody): Uint8Array {
  const head = Buffer.from(JSON.stringify({ ...rest, receivedAt: receivedAt.getTime() }))
  const size = Buffer.alloc(4)
  size.writeUInt32BE(head.length)
  return Buffer.concat([size, head, body])
}

/** Null for what is no record of ours. */
export function decodeReceived(record: Uint8Array): ReceivedBody | null {
  try {
    const view = Buffer.from(record.buffer, record.byteOffset, record.byteLength)
    const headEnd = 4 + view.readUInt32BE(0)
    const head = JSON.parse(view.subarray(4, headEnd).toString()) as {
      appId: string
      token: string | null
      length: number
      receivedAt: number
      unknownSource?: string | null
      traceParent?: string | null
    }
    // Those that were written before there was an allow-list, or a trace, are of nobody unknown and have none.
    return {
      unknownSource: null,
      traceParent: null,
      ...head,
      receivedAt: new Date(head.receivedAt),
      body: view.subarray(headEnd),
    }
  } catch {
    return null
  }
}
