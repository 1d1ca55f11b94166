import { connect, type Socket } from 'node:net'
import { paidBody } from '../../e2e/callback-bodies.ts'

const connections = 64
const headEnd = '\r\n\r\n'

let lastNumber = 0

/**
 * Posts callbacks that are all different over 64 connections, for so long. How many a second were acknowledged. Over plain
 * sockets, because an HTTP client costs as much as a bare server, and they share two cores with whoever is measured.
 */
export async function postCallbacks(url: string, forMs: number): Promise<number> {
  const { hostname, port, pathname } = new URL(url)
  const head = `POST ${pathname} HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncontent-type: application/json\r\ncontent-length: `
  const began = performance.now()
  let acknowledged = 0
  function postOnAndOn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname)
      socket.setNoDelay(true)
      const send = (): void => {
        const body = JSON.stringify(paidBody(`ws_CO_${++lastNumber}`, 'UHH0AB12CD'))
        socket.write(`${head}${Buffer.byteLength(body)}${headEnd}${body}`)
      }
      readAnswers(socket, isOk => {
        if (!isOk) {
          socket.destroy()
          return reject(new Error('a callback was not acknowledged with 200'))
        }
        acknowledged++
        if (performance.now() - began < forMs) return send()
        socket.destroy()
        resolve()
      })
      socket.on('error', cause => reject(new Error('a connection broke', { cause })))
      socket.on('connect', send)
    })
  }
  await Promise.all(Array.from({ length: connections }, postOnAndOn))
  return (acknowledged * 1_000) / (performance.now() - began)
}

/** Calls back for each whole answer. They have a length, or come in one chunk. */
function readAnswers(socket: Socket, heard: (isOk: boolean) => void): void {
  let text = ''
  socket.on('data', chunk => {
    text += chunk.toString('latin1')
    const end = text.indexOf(headEnd)
    if (end === -1) return
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? Number.NaN)
    const isWhole = Number.isNaN(length) ? text.endsWith(`0${headEnd}`) : text.length >= end + headEnd.length + length
    if (!isWhole) return
    const isOk = text.startsWith('HTTP/1.1 200')
    text = ''
    heard(isOk)
  })
}
