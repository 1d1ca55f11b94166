import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSimulator, type Simulator } from '../simulator.ts'
import { answerOf, basic, oauthPath, openMerchant, pushPath } from '../testing/merchant.ts'

let simulator: Simulator
let time = Date.parse('2026-11-21T07:00:00Z')
beforeEach(async () => {
  time = Date.parse('2026-11-21T07:00:00Z')
  simulator = await createSimulator({
    seed: 1,
    now: () => time,
    credentials: [{ consumerKey: 'key', consumerSecret: 'secret' }],
  })
})
afterEach(() => simulator.close())

const ask = async (path: string, init?: RequestInit) => answerOf(await fetch(simulator.url + path, init))

describe('OAuth', () => {
  it('grants a token of 28 characters that lives for the text "3599"', async () => {
    const answer = await ask(oauthPath, { headers: basic('key', 'secret') })
    expect(answer.status).toBe(200)
    expect(answer.json).toEqual({ access_token: expect.stringMatching(/^[A-Za-z0-9]{28}$/), expires_in: '3599' })
  })

  it.each([
    ['wrong grant type', '/oauth/v1/generate?grant_type=password', basic('key', 'secret'), 400, '400.008.02'],
    ['no grant type', '/oauth/v1/generate', basic('key', 'secret'), 400, '400.008.02'],
    ['not Basic', oauthPath, { authorization: 'Bearer abc' }, 400, '400.008.01'],
    ['no header', oauthPath, {}, 400, '400.008.01'],
  ])('%s', async (_name, path, headers: Record<string, string>, status, errorCode) => {
    const answer = await ask(path, { headers })
    expect([answer.status, answer.json['errorCode']]).toEqual([status, errorCode])
    expect(answer.json['requestId']).toMatch(/^[0-9a-f]{4}(-[0-9a-f]{4}){2}-[0-9a-f]{16}$/)
  })

  it.each([
    ['unknown key', basic('other', 'secret')],
    ['wrong secret', basic('key', 'wrong')],
  ])('%s gets HTTP 400 with an empty body', async (_name, headers) => {
    const answer = await ask(oauthPath, { headers })
    expect([answer.status, answer.text]).toEqual([400, ''])
  })

  it.each([
    ['incapsula-403', 403, '_Incapsula_Resource'],
    ['incapsula-503', 503, 'Request unsuccessful. Incapsula incident ID'],
    ['200-empty', 200, ''],
    ['200-html', 200, '<html'],
  ] as const)('by scenario: %s', async (ackError, status, text) => {
    simulator.addScenario({ api: 'oauth', ackError })
    const answer = await ask(oauthPath, { headers: basic('key', 'secret') })
    expect(answer.status).toBe(status)
    expect(answer.text).toContain(text)
    if (text === '') expect(answer.text).toBe('')
    expect((await ask(oauthPath, { headers: basic('key', 'secret') })).json['expires_in']).toBe('3599')
  })

  it('refuses another method with 405.001', async () => {
    const answer = await ask(oauthPath, { method: 'POST', headers: basic('key', 'secret') })
    expect([answer.status, answer.json['errorCode']]).toEqual([405, '405.001'])
  })
})

describe('access tokens', () => {
  const use = (token: string) =>
    ask(pushPath, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: '{}',
    })

  it('are cancelled by a newer one of the same consumer key only', async () => {
    await simulator.close()
    simulator = await createSimulator({ seed: 1 })
    const first = await openMerchant(simulator, '', 'a')
    const other = await openMerchant(simulator, '', 'b')
    const second = await openMerchant(simulator, '', 'a')
    const answers = await Promise.all([first, other, second].map(merchant => use(merchant.token)))
    expect(answers.map(answer => answer.json['errorCode'])).toEqual(['404.001.03', '400.002.02', '400.002.02'])
    expect(answers[0]?.status).toBe(404)
  })

  it('expire after an hour', async () => {
    const { token } = await openMerchant(simulator, '')
    time += 3_599_999
    expect((await use(token)).json['errorCode']).toBe('400.002.02')
    time += 1
    expect((await use(token)).json['errorCode']).toBe('404.001.03')
  })
})
