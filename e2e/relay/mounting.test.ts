import { createServer, type Server } from 'node:http'
import { createAdaptorServer, getRequestListener } from '@hono/node-server'
import express, { type Express } from 'express'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { Hono } from 'hono'
import { createRelayServer, SqliteRelayAdapter, verifySignature } from 'mpesa-stk/server'
import { describe, expect, test } from 'vitest'
import { paidBody } from '../callback-bodies.ts'
import { listen, openRelay, openSink } from './relay-floor.ts'

const body = JSON.stringify(paidBody('ws_CO_1', 'UHH0AB12CD')).replace('"Value":500', '"Value":500.00')
const json = { 'content-type': 'application/json' }

/** Posts one callback to a relay that somebody mounted, and tells what became of it. */
async function postTo(server: Server, prefix: string, hookUrl: string): Promise<Response> {
  const port = await listen(server)
  try {
    return await fetch(`http://127.0.0.1:${port}${prefix}${hookUrl}`, { method: 'POST', headers: json, body })
  } finally {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
}

async function inExpress(prepare: (app: Express) => void) {
  await using sink = await openSink()
  await using relay = await openRelay()
  const created = await relay.createApp(sink.url)
  const app = express()
  prepare(app)
  app.use('/relay', getRequestListener(relay.app.fetch, { overrideGlobalObjects: false }))
  const response = await postTo(createServer(app), '/relay', created.hookUrl)
  if (response.status === 200) await sink.have(1)
  const [one] = sink.delivered
  const signature = one?.headers['x-mpesa-signature']
  return { response, isVerified: one !== undefined && verifySignature(one.body, created.signingSecret, signature) }
}

describe('in an Express app', () => {
  test.each<[string, (app: Express) => void]>([
    ['before any parser', () => {}],
    ['behind express.json', app => void app.use(express.json())],
    ['behind express.raw', app => void app.use(express.raw({ type: () => true }))],
    ['behind express.text', app => void app.use(express.text({ type: () => true }))],
    [
      'behind a parser that keeps rawBody',
      app =>
        void app.use(
          express.json({
            verify: (request, _response, bytes) => void Object.assign(request, { rawBody: bytes }),
          }),
        ),
    ],
  ])('%s a callback is taken and delivered', async (_where, prepare) => {
    const { response, isVerified } = await inExpress(prepare)
    expect([response.status, await response.json()]).toEqual([200, { ResultCode: 0, ResultDesc: 'Success' }])
    expect(isVerified).toBe(true)
  })

  test('behind a parser that left nothing it is never acknowledged', async () => {
    const { response } = await inExpress(app =>
      app.use((request, _response, next) => {
        request.on('end', () => next())
        request.resume()
      }),
    )
    expect(response.status).toBe(500)
    expect(await response.json()).toMatchObject({ error: { code: 'MPESA_STK_RELAY_BODY_CONSUMED' } })
  })
})

describe('in a Fastify app', () => {
  async function inFastify(prepare: (app: FastifyInstance) => void, pass: (request: FastifyRequest) => void) {
    await using sink = await openSink()
    await using relay = await openRelay()
    const created = await relay.createApp(sink.url)
    const listener = getRequestListener(relay.app.fetch, { overrideGlobalObjects: false })
    const app = fastify()
    prepare(app)
    app.all('/relay/*', async (request, reply) => {
      reply.hijack()
      pass(request)
      request.raw.url = request.raw.url?.replace('/relay', '') ?? '/'
      await listener(request.raw, reply.raw)
    })
    await app.ready()
    const response = await postTo(app.server, '/relay', created.hookUrl)
    if (response.status === 200) await sink.have(1)
    const [one] = sink.delivered
    const signature = one?.headers['x-mpesa-signature']
    return { response, isVerified: one !== undefined && verifySignature(one.body, created.signingSecret, signature) }
  }

  test.each<[string, (app: FastifyInstance) => void, (request: FastifyRequest) => void]>([
    [
      'whose parsers leave the body alone',
      app => {
        app.removeAllContentTypeParsers()
        app.addContentTypeParser('*', (_request, _payload, done) => done(null))
      },
      () => {},
    ],
    [
      'behind its JSON parser, which hands the body on',
      () => {},
      request => void Object.assign(request.raw, { body: request.body }),
    ],
  ])('%s a callback is taken and delivered', async (_how, prepare, pass) => {
    const { response, isVerified } = await inFastify(prepare, pass)
    expect([response.status, await response.json()]).toEqual([200, { ResultCode: 0, ResultDesc: 'Success' }])
    expect(isVerified).toBe(true)
  })

  test('behind its JSON parser, which hands nothing on, it is never acknowledged', async () => {
    const { response } = await inFastify(
      () => {},
      () => {},
    )
    expect([response.status, await response.json()]).toMatchObject([
      500,
      { error: { code: 'MPESA_STK_RELAY_BODY_CONSUMED' } },
    ])
  })
})

test('in a Hono app a callback is taken and delivered', async () => {
  await using sink = await openSink()
  await using relay = await openRelay()
  const created = await relay.createApp(sink.url)
  const app = new Hono().mount('/relay', relay.app.fetch)
  const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }) as Server
  expect((await postTo(server, '/relay', created.hookUrl)).status).toBe(200)
  await sink.have(1)
})

test('nobody is the operator who comes through no socket at all', async () => {
  const storage = await SqliteRelayAdapter.open(':memory:')
  await storage.migrate()
  await using relay = await openRelay({ storage })
  const app = createRelayServer({ storage, dataFolder: relay.folder, workers: 'manual' })
  const response = await app.request('/apps', {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ targetUrl: 'https://shop.example/' }),
  })
  expect(response.status).toBe(401)
  await app.stop()
})
