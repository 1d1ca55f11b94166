import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { findCaddy, findNginx } from '../../scripts/services/binaries.ts'
import { findFreePort } from '../relay/relay-process.ts'

const shipped = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../deploy/${name}`, import.meta.url)), 'utf8')

/** What every proxy of a test needs in the place of what the shipped file says. */
type Place = {
  readonly folder: string
  readonly port: number
  readonly plainPort: number
  /** `host:port` of each. */
  readonly relays: readonly string[]
  readonly certificate: string
  readonly key: string
}

/** A server in front of relays: which file of `deploy/` it is told by, and how it is run on ports and with a certificate of a test. */
type FrontProxy = {
  readonly name: string
  readonly find: () => string | undefined
  /** What was under way in a relay that dies is given to another one. */
  readonly triesAgain: boolean
  /** The answer to a body over the limit. */
  readonly tooLong: number
  /** Writes its files. The arguments with which it stays in the foreground. */
  readonly prepare: (place: Place) => readonly string[]
}

const nginx: FrontProxy = {
  name: 'nginx',
  find: findNginx,
  triesAgain: true,
  tooLong: 413,
  prepare({ folder, port, plainPort, relays, certificate, key }) {
    const site = shipped('nginx.conf')
      .replace(/^ *listen \[::\].*\n/gm, '')
      .replace('listen 443 ', `listen 127.0.0.1:${port} `)
      .replace('listen 80;', `listen 127.0.0.1:${plainPort};`)
      .replace(/\/etc\/letsencrypt\S+fullchain\.pem/, certificate)
      .replace(/\/etc\/letsencrypt\S+privkey\.pem/, key)
      .replaceAll('/var/log/nginx/', `${folder}/`)
      .replace(/^( *server) 127\.0\.0\.1:3000( .*)$/m, (_line, server: string, settings: string) =>
        relays.map(relay => `${server} ${relay}${settings}`).join('\n'),
      )
    writeFileSync(join(folder, 'site.conf'), site)
    const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    const temporary = kinds.map(kind => `${kind}_temp_path ${folder}/${kind};`).join('\n')
    // What Debian's nginx.conf has around a site.
    const main = `${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off; pid ${folder}/nginx.pid; error_log ${folder}/main-error.log;
events { worker_connections 768; }
http { ${temporary} include ${folder}/site.conf; }
`
    writeFileSync(join(folder, 'nginx.conf'), main)
    return ['-p', folder, '-e', join(folder, 'main-error.log'), '-c', join(folder, 'nginx.conf')]
  },
}

const caddy: FrontProxy = {
  name: 'Caddy',
  find: findCaddy,
  triesAgain: false,
  tooLong: 502,
  prepare({ folder, port, plainPort, relays, certificate, key }) {
    const site = shipped('Caddyfile')
      .replace(
        /^\{$/m,
        `{\n\tadmin off\n\tauto_https disable_redirects\n\thttp_port ${plainPort}\n\thttps_port ${port}`,
      )
      .replace(/^relay\.example\.com \{$/m, `relay.example.com {\n\tbind 127.0.0.1\n\ttls ${certificate} ${key}`)
      .replace('reverse_proxy 127.0.0.1:3000', `reverse_proxy ${relays.join(' ')}`)
    writeFileSync(join(folder, 'Caddyfile'), site)
    return ['run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile']
  },
}

export const frontProxies: readonly FrontProxy[] = [nginx, caddy]

type Answer = { readonly status: number; readonly body: string }
type Asked = { readonly headers?: Readonly<Record<string, string>>; readonly body?: string | Buffer }

/** Runs a proxy with its shipped file, in front of these relays. */
export async function startFrontProxy(proxy: FrontProxy, relayUrls: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-proxy-'))
  const certificate = join(folder, 'certificate.pem')
  const key = join(folder, 'key.pem')
  const subject = ['-subj', '/CN=relay.example.com', '-addext', 'subjectAltName=DNS:relay.example.com']
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, '-keyout', key, '-out', certificate],
    { stdio: 'ignore' },
  )
  const [port, plainPort] = [await findFreePort(), await findFreePort()]
  const relays = relayUrls.map(url => new URL(url).host)
  const args = proxy.prepare({ folder, port, plainPort, relays, certificate, key })
  const child = spawn(proxy.find() ?? proxy.name, args, {
    env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => said.push(chunk.toString()))
  const exited = once(child, 'exit')
  // A test that ran out of time disposes of nothing.
  onTestFinished(() => void child.kill('SIGTERM'))
  const agent = new Agent({ keepAlive: true, ca: readFileSync(certificate), servername: 'relay.example.com' })
  await untilItListens(port, () => child.exitCode === null, said)
  return {
    /** The path is sent as it is written. */
    ask: (method: string, path: string, { headers = {}, body = '' }: Asked = {}): Promise<Answer> =>
      new Promise((resolve, reject) => {
        const asked = request(
          {
            host: '127.0.0.1',
            port,
            agent,
            method,
            path,
            headers: { host: 'relay.example.com', 'content-length': Buffer.byteLength(body), ...headers },
          },
          response => {
            const chunks: Buffer[] = []
            response.on('data', (chunk: Buffer) => chunks.push(chunk))
            response.on('end', () =>
              resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
            )
            response.on('error', reject)
          },
        )
        asked.on('error', reject)
        asked.end(body)
      }),
    /** What comes first of an answer that does not end. */
    firstBytes: (path: string, headers: Readonly<Record<string, string>>): Promise<string> =>
      new Promise((resolve, reject) => {
        const host = { host: 'relay.example.com' }
        const asked = request({ host: '127.0.0.1', port, agent, path, headers: { ...host, ...headers } }, response => {
          response.once('data', (chunk: Buffer) => {
            resolve(chunk.toString())
            response.destroy()
          })
        })
        asked.on('error', reject)
        asked.end()
      }),
    /** Where WebSockets go, and with what they believe it. */
    socket: { url: `wss://127.0.0.1:${port}`, options: { agent, headers: { host: 'relay.example.com' } } },
    /** All that it wrote about what it did. */
    logs: (): string =>
      [
        ...said,
        ...readdirSync(folder)
          .filter(name => name.endsWith('.log'))
          .map(name => readFileSync(join(folder, name), 'utf8')),
      ].join('\n'),
    async [Symbol.asyncDispose]() {
      agent.destroy()
      child.kill('SIGTERM')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function untilItListens(port: number, isAlive: () => boolean, said: readonly string[]): Promise<void> {
  while (isAlive()) {
    const socket = createConnection({ host: '127.0.0.1', port })
    const isThere = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isThere) return
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new Error(`it did not start\n${said.join('')}`)
}
