import { createConnection } from 'node:net'
import pg from 'pg'

/** Asks a PostgreSQL `select 1` over a real connection. Undefined when it answers, else the reason why not. */
export async function probePostgres(url: string, timeoutMs = 2_000): Promise<Error | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs })
  // Without a listener, a connection that drops while idle would end this process.
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('select 1')
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  } finally {
    await client.end().catch(() => {})
  }
}

/** Sends one inline Redis command over a raw socket; rejects when there is no answer in time. */
export function askRedis(url: string, command: string, timeoutMs = 2_000): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: hostname, port: Number(port || 6379) })
    let answer = ''
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer to ${command} in ${timeoutMs} ms`)))
    socket.once('connect', () => socket.write(`${command}\r\n`))
    socket.on('data', chunk => {
      answer += chunk.toString('utf8')
      if (!isWhole(answer)) return
      socket.end()
      resolve(answer)
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error(`the connection closed before an answer to ${command}`)))
  })
}

export async function probeRedis(url: string, timeoutMs = 2_000): Promise<Error | undefined> {
  try {
    const answer = await askRedis(url, 'PING', timeoutMs)
    return answer === '+PONG\r\n' ? undefined : new Error(`Redis answered PING with ${JSON.stringify(answer)}`)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

/** A simple reply ends with its line; a bulk reply (`$<length>`) announces its length. */
function isWhole(answer: string): boolean {
  const lineEnd = answer.indexOf('\r\n')
  if (lineEnd === -1) return false
  if (!answer.startsWith('$')) return true
  return Buffer.byteLength(answer) >= lineEnd + 2 + Number(answer.slice(1, lineEnd)) + 2
}
