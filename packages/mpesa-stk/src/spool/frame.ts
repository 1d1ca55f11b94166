import { crc32 } from 'node:zlib'

/** A record in a spool file: its length, its checksum, its bytes. */
export function frame(record: Uint8Array): Uint8Array {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(record.length, 0)
  head.writeUInt32BE(crc32(record), 4)
  return Buffer.concat([head, record])
}

/** The whole records at the beginning of a file, and how many bytes at its end are none: a write was cut off there. */
export function readFrames(file: Uint8Array): { readonly records: readonly Uint8Array[]; readonly tornBytes: number } {
  const view = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  const records: Uint8Array[] = []
  let offset = 0
  while (offset + 8 <= view.length) {
    const length = view.readUInt32BE(offset)
    const record = view.subarray(offset + 8, offset + 8 + length)
    if (record.length < length || crc32(record) !== view.readUInt32BE(offset + 4)) break
    records.push(record)
    offset += 8 + length
  }
  return { records, tornBytes: view.length - offset }
}
