import { connect } from 'node:net'

/**
 * Sends bytes to a server of this machine exactly as they are, and resolves with its answer: once that matches `until`, or
 * when the server has closed the connection.
 */
export function talk(url: string, bytes: string | Uint8Array, until = /\r\n\r\n/): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let answer = ''
    const end = (): void => {
      resolve(answer)
      socket.destroy()
    }
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1')
      if (until.test(answer)) end()
    })
    socket.once('close', end)
    socket.once('error', error => (answer === '' ? reject(error) : end()))
    socket.write(bytes)
  })
}

/** The status in an answer's first line. */
export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])
}
