import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createAdaptorServer, getRequestListener } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { attachStreams } from 'mpesa-stk/server'
import { expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { listen } from '../relay-floor.ts'
import { openStreams, type StreamRelay } from './stream-floor.ts'

/** Servers of others that mount a relay under `/relay`. */
const hosts: readonly (readonly [string, (relay: StreamRelay) => Promise<Server>])[] = [
  [
    'Express',
    async ({ app }) => {
      const host = express()
      host.use('/relay', getRequestListener(app.fetch, { overrideGlobalObjects: false }))
      return createServer(host)
    },
  ],
  [
    'Fastify',
    async ({ app }) => {
      const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false })
      const host = fastify()
      host.all('/relay/*', async (request, reply) => {
        reply.hijack()
        request.raw.url = request.raw.url?.replace('/relay', '') ?? '/'
        await listener(request.raw, reply.raw)
      })
      await host.ready()
      return host.server
    },
  ],
  [
    'Hono',
    async ({ app }) => {
      const host = new Hono().mount('/relay', app.fetch)
      return createAdaptorServer({ fetch: host.fetch, overrideGlobalObjects: false }) as Server
    },
  ],
]

test.each(hosts)('a relay in a server of %s streams, and leaves other upgrades to it', async (_name, open) => {
  await using floor = await openStreams()
  await floor.pay(1)
  const server = await open(floor.relay)
  const own = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    if (request.url === '/own') own.handleUpgrade(request, socket, head, each => each.send('the host’s'))
  })
  attachStreams(server, floor.relay.app, { path: '/relay/ws' })
  const port = await listen(server)
  const { token } = await floor.mint()
  const page = new WebSocket(`ws://127.0.0.1:${port}/relay/ws`, ['mpesa-stk.v1'])
  page.on('open', () => page.send(JSON.stringify({ type: 'auth', token })))
  page.on('message', data => {
    const text = (data as Buffer).toString()
    if (text.includes('"ready"')) page.send('{"type":"subscribe","id":1,"stream":"source"}')
    if (text.includes('"event"')) page.emit('paid', text)
  })
  expect((await once(page, 'paid'))[0]).toContain('"status":"SUCCESS"')
  const stop = new AbortController()
  const events = await fetch(`http://127.0.0.1:${port}/relay/v1/streams/source/events`, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    signal: stop.signal,
  })
  const chunk = await events.body?.getReader().read()
  expect(new TextDecoder().decode(chunk?.value)).toContain('"status":"SUCCESS"')
  stop.abort()
  const hosts = new WebSocket(`ws://127.0.0.1:${port}/own`)
  expect(String((await once(hosts, 'message'))[0])).toBe('the host’s')
  hosts.terminate()
  const closed = once(page, 'close')
  await floor.relay.app.relay.streams.stop()
  expect((await closed)[0]).toBe(1012)
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
})
