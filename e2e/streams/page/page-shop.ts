import { createServer } from 'node:http'
import { listen } from '../../relay/relay-floor.ts'
import type { StreamApp } from '../stream-floor.ts'
import { bundlePage } from './bundle-page.ts'

/** The merchant's site: pages on an origin of its own, and the route where they get their tokens. */
export async function openPageShop(app: () => StreamApp) {
  const [payments, react] = await Promise.all([
    bundlePage(new URL('payments-page.ts', import.meta.url)),
    bundlePage(new URL('react-page.ts', import.meta.url)),
  ])
  let tokens = 0
  let isAway = false
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://shop')
    const [, folder, file] = /^\/(pay|react)(\/.+\.js)$/.exec(pathname) ?? []
    const script = file === undefined ? undefined : (folder === 'react' ? react : payments).get(file)
    if (script !== undefined) response.writeHead(200, { 'content-type': 'text/javascript' }).end(script)
    else if (/^\/(?:pay|react)\/$/.test(pathname)) {
      const html =
        '<!doctype html><title>Shop</title><div id="root"></div><script type="module" src="page.js"></script>'
      response.writeHead(200, { 'content-type': 'text/html' }).end(html)
    } else if (pathname.endsWith('/token') && !isAway) {
      tokens++
      const streams = (searchParams.get('streams') ?? '').split(',')
      app()
        .link.mintToken({ streams, ttlSeconds: 300 })
        .then(
          ({ token, ttlMs }) => response.end(JSON.stringify({ token, ttlMs })),
          (error: unknown) => response.writeHead(502).end(String(error)),
        )
    } else response.writeHead(pathname === '/favicon.ico' ? 204 : 503).end()
  })
  const url = `http://127.0.0.1:${await listen(server)}`
  return {
    url,
    tokens: () => tokens,
    /** It gives no tokens. */
    goAway(away: boolean) {
      isAway = away
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
