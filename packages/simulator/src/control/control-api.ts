import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { normaliseMsisdn } from '../msisdn.ts'
import { handsetActions } from '../payment-flow.ts'
import { parseScenario } from '../scenario.ts'
import type { Simulation } from '../simulation.ts'
import { SimulatorError, simulatorErrorStatus } from '../simulator-error.ts'
import { testNumbers } from '../test-numbers.ts'
import { snapshot } from '../transaction.ts'
import { respondOnPhone } from './answer-prompt.ts'
import type { EventStreams } from './event-stream.ts'

const largestControlBody = 1_000_000

/** `/__sim/…`: how tests and the handset page look into the simulator and steer it. */
export function createControlApi(simulation: Simulation, streams: EventStreams): Hono {
  const control = new Hono()

  control.get('/transactions', context => {
    const { msisdn, checkoutRequestId } = context.req.query()
    const transactions = simulation.book
      .all()
      .filter(transaction => msisdn === undefined || transaction.msisdn === normaliseMsisdn(msisdn))
      .filter(transaction => checkoutRequestId === undefined || transaction.checkoutRequestId === checkoutRequestId)
    return context.json({ transactions: transactions.map(snapshot) })
  })
  control.get('/requests', context => context.json({ requests: simulation.requests.all() }))
  control.get('/test-numbers', context => context.json({ testNumbers }))
  control.get('/events', () => streams.open())
  // Where the page's own trial push is called back.
  control.post('/callback-sink', context => context.json({ ResultCode: 0, ResultDesc: 'Success' }))

  control.get('/scenarios', context => context.json({ scenarios: simulation.scenarios.list() }))
  control.post('/scenarios', async context => {
    const scenario = parseScenario(await readJson(context))
    simulation.scenarios.add(scenario)
    return context.json({ scenario }, 201)
  })
  control.delete('/scenarios', context => {
    simulation.scenarios.clear()
    return context.json({ scenarios: [] })
  })

  control.post('/reset', context => {
    simulation.reset()
    return context.json({ reset: true, seed: simulation.settings.seed })
  })

  control.post('/phone/:msisdn/respond', async context => {
    const parsed = answerSchema.safeParse(await readJson(context))
    if (!parsed.success) {
      const issues = parsed.error.issues.map(issue => `${issue.path.join('.') || 'answer'}: ${issue.message}`)
      throw new SimulatorError('SIMULATOR_ANSWER_INVALID', `The answer is not valid. ${issues.join('; ')}`, issues)
    }
    return context.json({ transaction: respondOnPhone(simulation, context.req.param('msisdn'), parsed.data) })
  })

  control.all('*', context => {
    const { method, path } = context.req
    throw new SimulatorError('SIMULATOR_UNKNOWN_ROUTE', `The control API has no ${method} ${path}`)
  })
  return control
}

const answerSchema = z.strictObject({
  action: z.enum(handsetActions),
  pin: z
    .string()
    .regex(/^\d{4}$/, 'four digits')
    .optional(),
})

async function readJson(context: Context): Promise<unknown> {
  const text = await context.req.text()
  if (text.length > largestControlBody)
    throw new SimulatorError('SIMULATOR_BODY_TOO_LARGE', `The body has over ${largestControlBody} characters`)
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    throw new SimulatorError('SIMULATOR_BODY_NOT_JSON', 'The body is not JSON')
  }
}

export function controlError({ code, message, issues }: SimulatorError): Response {
  return Response.json(
    { error: { code, message, ...(issues.length > 0 ? { issues } : {}) } },
    { status: simulatorErrorStatus[code] },
  )
}
