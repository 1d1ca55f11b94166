import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { triggerFixtures } from '../../packages/mpesa-stk/src/cli/trigger/fixtures.ts'
import { withFreshIds } from '../../packages/mpesa-stk/src/cli/trigger/fresh-ids.ts'
import { setPath } from '../../packages/mpesa-stk/src/cli/trigger/set-path.ts'
import { listen, openRelay, openSink, type QuarantinePage } from '../relay/relay-floor.ts'
import { findFreePort } from '../relay/relay-process.ts'
import { runMpesaStk, runMpesaStkHere } from './run-mpesa-stk.ts'

type Events = {
  readonly events: readonly { readonly kind: string; readonly copies: number; readonly businessKey: string }[]
}

const fixtures = new URL('../../fixtures/daraja/', import.meta.url)

test.each(triggerFixtures)('$name is what fixtures/daraja has as $from', ({ from, body }) => {
  expect(body).toEqual(JSON.parse(readFileSync(new URL(from, fixtures), 'utf8')))
})

test('every fixture is an event of the relay, each time anew, and delivered', async () => {
  await using sink = await openSink()
  await using relay = await openRelay()
  const app = await relay.createApp(sink.url)
  const hook = (name: string): string => `/hooks/${app.appId}${name.startsWith('c2b') ? '/c2b/confirmation' : ''}`
  const counters = { digits: 0, hex: 0 }
  const random = {
    now: new Date('2026-11-24T10:00:00Z'),
    digits: (length: number) =>
      String(counters.digits++)
        .padStart(length, '0')
        .slice(-length),
    hex: (length: number) => (counters.hex++).toString(16).padStart(length, '0').slice(-length),
  }
  // A validation is answered, and no event: its body is the one of the confirmation.
  const kept = triggerFixtures.filter(({ name }) => name !== 'c2b-validation')
  for (const { name, body } of [...kept, ...kept]) {
    const answer = await relay.post(hook(name), JSON.stringify(withFreshIds(body, random)))
    expect(await answer.json()).toEqual({ ResultCode: 0, ResultDesc: 'Success' })
  }
  const { events } = await relay.read<Events>(`/v1/apps/${app.appId}/events?limit=200`)
  expect(events).toHaveLength(2 * kept.length)
  expect(events.filter(({ copies }) => copies !== 1)).toEqual([])
  expect((await relay.read<QuarantinePage>('/v1/quarantine')).bodies).toEqual([])
  await sink.have(2 * kept.length)
})

test('a fixture is posted to a relay with what was set, shown with the answer, and twice is two events', async () => {
  await using sink = await openSink()
  await using relay = await openRelay()
  const app = await relay.createApp(sink.url)
  const to = ['--to', `${relay.url}/hooks/${app.appId}`]
  const set = ['--set', 'Body.stkCallback.CheckoutRequestID=ws_CO_mine', '--set', 'Body.stkCallback.ResultCode=1001']
  const first = await runMpesaStk(['trigger', 'stk-cancelled', ...to, ...set])
  expect([first.code, first.err]).toEqual([0, ''])
  expect(first.out).toContain('"CheckoutRequestID": "ws_CO_mine"')
  expect(first.out).toMatch(/HTTP 200\n\{"ResultCode":0,"ResultDesc":"Success"\}/)
  const [second, third] = await Promise.all([
    runMpesaStkHere(['trigger', 'stk-paid', '--json', ...to]),
    runMpesaStkHere(['trigger', 'stk-paid', '--json', ...to]),
  ])
  expect([second.code, third.code]).toEqual([0, 0])
  const ids = [second, third].map(run => JSON.parse(run.out).sent.Body.stkCallback.CheckoutRequestID as string)
  expect(ids[0]).not.toBe(ids[1])
  // The same ids again are a copy.
  for (let time = 0; time < 2; time++) await runMpesaStkHere(['trigger', 'stk-timeout', '--same-ids', ...to])
  await sink.have(4)
  const delivered = sink.delivered.map(({ body }) => JSON.parse(body).Body.stkCallback)
  expect(new Set(delivered.map(({ CheckoutRequestID }) => CheckoutRequestID))).toEqual(
    new Set(['ws_CO_mine', ...ids, 'ws_CO_17082026102012118708374149']),
  )
  expect(delivered.find(({ CheckoutRequestID }) => CheckoutRequestID === 'ws_CO_mine')?.ResultCode).toBe(1001)
  const { events } = await relay.read<Events>(`/v1/apps/${app.appId}/events`)
  expect(events).toHaveLength(4)
  expect(events.filter(({ copies }) => copies === 2)).toHaveLength(1)
}, 120_000)

test('what cannot be posted is told by its exit code', async () => {
  await using sink = await openSink()
  sink.answer((_request, response) => void response.writeHead(503).end('no room'))
  const nobody = `http://127.0.0.1:${await findFreePort()}/hooks/private-app-id`
  const [refused, away, printed, unknown, nowhere, polluting, listed] = await Promise.all(
    [
      ['stk-paid', '--to', sink.url],
      ['stk-paid', '--to', nobody],
      ['balance', '--print', '--to', sink.url, '--set', 'Result.ResultCode="0001"'],
      ['stk-payed', '--to', sink.url],
      ['stk-paid'],
      ['stk-paid', '--print', '--set', '__proto__.polluted=1'],
      ['--list', '--json'],
    ].map(args => runMpesaStkHere(['trigger', ...args])),
  )
  expect([refused?.code, refused?.out]).toEqual([1, expect.stringContaining('HTTP 503\nno room')])
  expect([away?.code, away?.err]).toEqual([5, expect.stringMatching(/^MPESA_STK_HOOK_UNREACHABLE: (?!.*private-app)/)])
  expect([printed?.code, JSON.parse(printed?.out ?? '').Result.ResultCode]).toEqual([0, '0001'])
  expect([unknown?.code, nowhere?.code]).toEqual([2, 2])
  expect([polluting?.code, polluting?.err]).toEqual([2, expect.stringContaining('cannot set __proto__')])
  expect(JSON.parse(listed?.out ?? '')).toHaveLength(triggerFixtures.length)
  // Only the one that was to be refused was posted.
  expect(sink.delivered).toHaveLength(1)
}, 120_000)

test('an answer that is cut off is nobody’s, and one that would move the cursor does not', async () => {
  const server = createServer((request, response) => {
    if (request.url === '/cut') response.writeHead(200, { 'content-length': 9 }).write('{', () => response.destroy())
    else response.end('\u001b[2Jdone')
  })
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${await listen(server)}`
  const cut = await runMpesaStkHere(['trigger', 'stk-paid', '--json', '--to', `${url}/cut`])
  expect([cut.code, JSON.parse(cut.err).error.code]).toEqual([5, 'MPESA_STK_HOOK_UNREACHABLE'])
  expect((await runMpesaStkHere(['trigger', 'stk-paid', '--to', url])).out).toMatch(/HTTP 200\n·\[2Jdone\n$/)
})

const body = () => ({ Result: { Code: 0, List: [{ Key: 'Amount', Value: 1 }, { Key: 'Reason' }] } })

test.each([
  ['Result.Code=1032', { Code: 1032 }],
  ['Result.Code="1032"', { Code: '1032' }],
  ['Result.Code=SFC_IC0003', { Code: 'SFC_IC0003' }],
  ['Result.Code=00', { Code: '00' }],
  ['Result.Code=true', { Code: true }],
  ['Result.Code=null', { Code: null }],
  ['Result.Code=', { Code: '' }],
  ['Result.Code=a=b', { Code: 'a=b' }],
  ['Result.Code={"a":1}', { Code: '{"a":1}' }],
  ['Result.Code=12345678901234567890', { Code: '12345678901234567890' }],
  ['Result.New.Field=1', { New: { Field: 1 } }],
  ['Result.List.Amount=500', { List: [{ Key: 'Amount', Value: 500 }, { Key: 'Reason' }] }],
  [
    'Result.List.Reason=none',
    {
      List: [
        { Key: 'Amount', Value: 1 },
        { Key: 'Reason', Value: 'none' },
      ],
    },
  ],
  ['Result.List.1.Key=Other', { List: [{ Key: 'Amount', Value: 1 }, { Key: 'Other' }] }],
  ['Result.List.2.Key=More', { List: [{ Key: 'Amount', Value: 1 }, { Key: 'Reason' }, { Key: 'More' }] }],
])('--set %s', (assignment, expected) => {
  const changed = body()
  setPath(changed, assignment)
  expect(changed).toEqual({ Result: { ...body().Result, ...expected } })
})

test.each([
  'Result.Code',
  '=1',
  'Result..Code=1',
  'Result.constructor.prototype.polluted=1',
  'Result.List.prototype=1',
  'Result.Code.Deeper=1',
  'Result.List.99=1',
  'Result.List.length=0',
  'Result.List.push=1',
])('--set %s is refused, and nothing is changed', assignment => {
  const changed = body()
  expect(() => setPath(changed, assignment)).toThrow(expect.objectContaining({ code: 'MPESA_STK_CLI_USAGE' }))
  expect(changed).toEqual(body())
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
})
