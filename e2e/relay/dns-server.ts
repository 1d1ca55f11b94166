import { createSocket } from 'node:dgram'
import { isIPv4 } from 'node:net'

type QueryType = 'A' | 'AAAA'

/** `alias`: the name is another name (a CNAME), whose addresses come with it. IPv6 in hexadecimal groups alone. */
export type DnsAnswer =
  | readonly string[]
  | { readonly alias: string; readonly addresses: readonly string[] }
  | 'NXDOMAIN'
  | 'silence'

/** `asked`: how often this has been asked before. */
export type AnswerDns = (name: string, type: QueryType, asked: number) => DnsAnswer

/** A name server on this machine. Nothing that it says may be remembered. */
export type DnsServer = AsyncDisposable & {
  /** As a resolver wants it: `address:port`. */
  readonly server: string
  /** What was asked, in its order: `A shop.example`. */
  readonly asked: readonly string[]
}

const headerBytes = 12
const types: Readonly<Record<number, QueryType>> = { 1: 'A', 28: 'AAAA' }
const cname = 5

export async function openDnsServer(answer: AnswerDns): Promise<DnsServer> {
  const asked: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (query, from) => {
    const { name, type, end } = readQuestion(query)
    const question = `${type} ${name}`
    const before = asked.filter(each => each === question).length
    asked.push(question)
    const said = answer(name, type, before)
    if (said !== 'silence') socket.send(writeAnswer(query.subarray(0, end), said), from.port, from.address)
  })
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve))
  return {
    server: `127.0.0.1:${socket.address().port}`,
    asked,
    async [Symbol.asyncDispose]() {
      await new Promise<void>(resolve => socket.close(resolve))
    },
  }
}

function readQuestion(query: Buffer): { readonly name: string; readonly type: QueryType; readonly end: number } {
  const labels: string[] = []
  let at = headerBytes
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const type = types[query.readUInt16BE(at + 1)]
  if (type === undefined) throw new Error('asked for something else than addresses')
  return { name: labels.join('.'), type, end: at + 5 }
}

function writeAnswer(question: Buffer, said: Exclude<DnsAnswer, 'silence'>): Buffer {
  const name = question.subarray(headerBytes, -4)
  const records: Buffer[] = []
  if (typeof said === 'object' && 'alias' in said) {
    const alias = writeName(said.alias)
    records.push(writeRecord(name, cname, alias))
    records.push(...said.addresses.map(address => writeAddress(alias, address)))
  } else if (said !== 'NXDOMAIN') records.push(...said.map(address => writeAddress(name, address)))
  const header = Buffer.alloc(headerBytes)
  question.copy(header, 0, 0, 2)
  // An answer, to a question that may be asked on; with the code for a name that there is not.
  header.writeUInt16BE(0x8180 | (said === 'NXDOMAIN' ? 3 : 0), 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(records.length, 6)
  return Buffer.concat([header, question.subarray(headerBytes), ...records])
}

function writeName(name: string): Buffer {
  const labels = name.split('.').map(label => Buffer.concat([Buffer.of(label.length), Buffer.from(label, 'latin1')]))
  return Buffer.concat([...labels, Buffer.of(0)])
}

function writeAddress(name: Buffer, address: string): Buffer {
  const type = isIPv4(address) ? 1 : 28
  return writeRecord(name, type, isIPv4(address) ? Buffer.from(address.split('.').map(Number)) : writeIPv6(address))
}

function writeRecord(name: Buffer, type: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(1, 2)
  // Then for how many seconds it may be remembered: none.
  fixed.writeUInt16BE(data.length, 8)
  return Buffer.concat([name, fixed, data])
}

function writeIPv6(address: string): Buffer {
  const [head = '', tail = ''] = address.split('::')
  const groupsOf = (part: string): readonly number[] =>
    part === '' ? [] : part.split(':').map(group => Number.parseInt(group, 16))
  const bytes = Buffer.alloc(16)
  for (const [index, group] of groupsOf(head).entries()) bytes.writeUInt16BE(group, 2 * index)
  for (const [index, group] of groupsOf(tail).toReversed().entries()) bytes.writeUInt16BE(group, 14 - 2 * index)
  return bytes
}
