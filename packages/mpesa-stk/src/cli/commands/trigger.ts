import { randomBytes, randomInt } from 'node:crypto'
import type { Command } from 'commander'
import { MpesaStkError } from '../../core/errors.ts'
import { Exit, exitCodes } from '../exit-codes.ts'
import { formatTable } from '../table.ts'
import { type CommonOptions, harmless, paint, print, type Terminal } from '../terminal.ts'
import { triggerFixtures } from '../trigger/fixtures.ts'
import { withFreshIds } from '../trigger/fresh-ids.ts'
import { setPath } from '../trigger/set-path.ts'

type Options = CommonOptions & {
  readonly to?: string
  readonly set: readonly string[]
  readonly sameIds?: true
  readonly print?: true
  readonly list?: true
}

const deadlineMs = 30_000
const shownBytes = 4_096

export function addTriggerCommand(program: Command, terminal: Terminal): void {
  program
    .command('trigger [fixture]')
    .description('post a callback to a hook, as Safaricom would')
    .option('--to <url>', 'where to: a hook of the relay, or a callback route')
    .option('--set <path=value>', 'change a field; again for the next', (value, all: string[]) => [...all, value], [])
    .option('--same-ids', 'keep the ids of the fixture: a second one is then absorbed as a copy')
    .option('--print', 'show the body and post nothing')
    .option('--list', 'list what there is to post')
    .action(async (name: string | undefined, _options, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      if (options.list === true) return list(terminal, options)
      const body = makeBody(name, options)
      if (options.print === true) return terminal.out(JSON.stringify(body, null, options.json === true ? 0 : 2))
      await post(terminal, options, body)
    })
}

function list(terminal: Terminal, options: Options): void {
  const fixtures = triggerFixtures.map(({ name, about }) => ({ name, about }))
  print(terminal, options, fixtures, () =>
    formatTable(
      ['fixture', 'what happened'],
      fixtures.map(({ name, about }) => [name, about]),
    ),
  )
}

function makeBody(name: string | undefined, { set, sameIds }: Options): object {
  const fixture = triggerFixtures.find(each => each.name === name)
  if (fixture === undefined) {
    throw usage(
      name === undefined
        ? 'which fixture? `trigger --list` shows them'
        : 'there is no such fixture; `trigger --list` shows them',
    )
  }
  const random = {
    now: new Date(),
    digits: (length: number) => Array.from({ length }, () => randomInt(10)).join(''),
    hex: (length: number) => randomBytes(length).toString('hex').slice(0, length),
  }
  const body = sameIds === true ? structuredClone(fixture.body) : withFreshIds(fixture.body, random)
  for (const assignment of set) setPath(body, assignment)
  return body
}

async function post(terminal: Terminal, options: Options, body: object): Promise<void> {
  const { to } = options
  if (to === undefined || !URL.canParse(to) || !/^https?:$/.test(new URL(to).protocol)) {
    throw usage('--to takes the http:// or https:// address of a hook')
  }
  const { status, isOk, answer } = await send(to, JSON.stringify(body), terminal.signal)
  print(terminal, options, { sent: body, status, answer }, () => {
    const told = paint(terminal, isOk ? 'green' : 'red', `HTTP ${status}`)
    return `${JSON.stringify(body, null, 2)}\n\n${told}\n${harmless(answer)}`
  })
  if (!isOk) throw new Exit(exitCodes.failed)
}

type Answer = { readonly status: number; readonly isOk: boolean; readonly answer: string }

async function send(to: string, body: string, signal: AbortSignal): Promise<Answer> {
  try {
    const response = await fetch(to, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]),
    })
    const answer = (await response.text()).slice(0, shownBytes)
    return { status: response.status, isOk: response.ok, answer }
  } catch (cause) {
    throw new MpesaStkError('MPESA_STK_HOOK_UNREACHABLE', `nobody answers at ${new URL(to).host}`, { cause })
  }
}

function usage(message: string): MpesaStkError {
  return new MpesaStkError('MPESA_STK_CLI_USAGE', message)
}
