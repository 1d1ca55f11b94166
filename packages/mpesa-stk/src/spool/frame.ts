import { crc32 } from 'node:zlib'

/** How a record begins, so that one whose bytes were damaged hides none that follow. */
const mark = Buffer.from([0xf7, 0x4d, 0x53, 0x50])
const headBytes = 12
/** Far above any record: what claims to be longer is damage, and no checksum is made over all that follows it. */
const maxRecordBytes = 1024 * 1024

/** A record in a spool file: a mark, its length, its checksum, its bytes. No record is empty. */
export function frame(record: Uint8Array): Uint8Array {
  const head = Buffer.alloc(headBytes)
  mark.copy(head)
  head.writeUInt32BE(record.length, 4)
  head.writeUInt32BE(crc32(record), 8)
  return Buffer.concat([head, record])
}

/** The whole records of a file, and how many of its bytes belong to none: a write was cut off, or a disk lies. */
export function readFrames(file: Uint8Array): { readonly records: readonly Uint8Array[]; readonly tornBytes: number } {
  const view = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  const records: Uint8Array[] = []
  let wholeBytes = 0
  let offset = view.indexOf(mark)
  while (offset !== -1) {
    const record = readRecord(view, offset)
    if (record !== null) {
      records.push(record)
      wholeBytes += headBytes + record.length
    }
    offset = view.indexOf(mark, offset + (record === null ? 1 : headBytes + record.length))
  }
  return { records, tornBytes: view.length - wholeBytes }
}

function readRecord(view: Buffer, offset: number): Uint8Array | null {
  if (offset + headBytes > view.length) return null
  const length = view.readUInt32BE(offset + 4)
  const start = offset + headBytes
  // A disk may fill the end of a file with zeros, and the checksum of nothing is zero as well.
  if (length === 0 || length > maxRecordBytes || start + length > view.length) return null
  const record = view.subarray(start, start + length)
  return crc32(record) === view.readUInt32BE(offset + 8) ? record : null
}
