/** What came in at a hook, before anybody looked into it. */
export type ReceivedBody = {
  readonly appId: string
  readonly token: string | null
  /** At most the first 256 KiB. */
  readonly body: Uint8Array
  /** How long it was. */
  readonly length: number
  readonly receivedAt: Date
}

/** Hundreds of times a real callback. */
export const maxBodyBytes = 256 * 1024

/** As a record of the spool. */
export function encodeReceived({ appId, token, body, length, receivedAt }: ReceivedBody): Uint8Array {
  const head = Buffer.from(JSON.stringify({ appId, token, length, receivedAt: receivedAt.getTime() }))
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
    }
    return { ...head, receivedAt: new Date(head.receivedAt), body: view.subarray(headEnd) }
  } catch {
    return null
  }
}
