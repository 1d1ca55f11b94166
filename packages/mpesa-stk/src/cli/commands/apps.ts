import { type Command, Option } from 'commander'
import { MpesaStkError } from '../../core/errors.ts'
import { openRelayClient, queryOf } from '../relay-client.ts'
import { formatFields, formatTable } from '../table.ts'
import { type CommonOptions, print, type Terminal } from '../terminal.ts'

type App = {
  readonly appId: string
  readonly logMark: string
  readonly targetUrl: string
  readonly isDisabled: boolean
  readonly createdAt: string
}
type AppPage = { readonly apps: readonly App[]; readonly next: string | null }
type Changes = CommonOptions & {
  readonly target?: string
  readonly schedule?: string
  readonly c2bFallback?: string
  readonly dailyQuota?: string
  readonly receives?: string
  readonly publicStreams?: boolean
  readonly allowedOrigin?: readonly string[]
}

const path = (appId: string): string => `/apps/${encodeURIComponent(appId)}`

export function addAppCommands(program: Command, terminal: Terminal): void {
  const apps = program.command('apps').description('make, list and change the relay’s apps')

  apps
    .command('create')
    .description('make an app; its secrets are shown this once')
    .requiredOption('--target <url>', 'where callbacks are delivered to')
    .option('--schedule <ms,…>', 'pauses after failed attempts, in milliseconds')
    .option('--c2b-fallback <accept|reject>', 'the answer to a C2B validation that the endpoint does not answer')
    .option('--daily-quota <n|none>', 'events of a day after which the log is not read on')
    .option('--receives <callbacks|alerts>', 'alerts: an operator’s endpoint, to which the relay tells its troubles')
    .addOption(publicStreams())
    .addOption(allowedOrigin())
    .action((_options, command: Command) => act(command, 'POST', '/apps'))

  apps
    .command('list')
    .description('list apps, newest first')
    .option('--limit <n>', 'at most so many', '50')
    .option('--before <appId>', 'only those made before this one')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions & { limit: string; before?: string }>()
      await using relay = await openRelayClient(terminal, options)
      const { limit, before } = options
      const page = await relay.ask<AppPage>('GET', `/apps${queryOf({ limit, before })}`)
      print(terminal, options, page, () =>
        formatTable(
          ['app', 'in logs', 'state', 'delivers to'],
          page.apps.map(app => [app.appId, app.logMark, app.isDisabled ? 'disabled' : 'on', app.targetUrl]),
        ),
      )
    })

  apps
    .command('show <appId>')
    .description('show an app')
    .action((appId: string, _options, command: Command) => act(command, 'GET', path(appId)))

  apps
    .command('update <appId>')
    .description('change where an app is delivered to, its schedule or its fallback')
    .option('--target <url>', 'where callbacks are delivered to')
    .option('--schedule <ms,…>', 'pauses after failed attempts, in milliseconds; `default` for the documented ones')
    .option('--c2b-fallback <accept|reject>', 'the answer to a C2B validation that the endpoint does not answer')
    .option('--daily-quota <n|none>', 'events of a day after which the log is not read on')
    .addOption(publicStreams())
    .option('--no-public-streams', 'pages read streams with a token alone')
    .addOption(allowedOrigin())
    .action((appId: string, _options, command: Command) => act(command, 'PATCH', path(appId)))

  for (const [name, isDisabled, what] of [
    ['disable', true, 'deliver nothing to an app; its callbacks are kept'],
    ['enable', false, 'deliver to an app again, what was kept included'],
  ] as const) {
    apps
      .command(`${name} <appId>`)
      .description(what)
      .action((appId: string, _options, command: Command) => act(command, 'PATCH', path(appId), { isDisabled }))
  }

  apps
    .command('rotate-secret <appId>')
    .description('give an app a new signing secret; for a while deliveries are signed with both')
    .option('--overlap-hours <n>', 'for how long', '24')
    .action((appId: string, { overlapHours }: { overlapHours: string }, command: Command) =>
      act(command, 'POST', `${path(appId)}/rotate-signing-secret`, {
        overlapMs: readNumber('--overlap-hours', overlapHours) * 3_600_000,
      }),
    )

  apps
    .command('rotate-stream-secret <appId>')
    .description('give an app a new stream secret; the old one is good no more')
    .action((appId: string, _options, command: Command) => act(command, 'POST', `${path(appId)}/rotate-stream-secret`))

  apps
    .command('clear-stream <appId>')
    .description('stream nothing any more of what happened until now')
    .action((appId: string, _options, command: Command) => act(command, 'POST', `/v1${path(appId)}/stream/clear`))

  apps
    .command('delete <appId>')
    .description('forget an app and its secrets; its events stay')
    .action((appId: string, _options, command: Command) => act(command, 'DELETE', path(appId)))

  async function act(
    command: Command,
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    at: string,
    body?: object,
  ): Promise<void> {
    const options = command.optsWithGlobals<Changes>()
    await using relay = await openRelayClient(terminal, options)
    const sent = method === 'GET' || method === 'DELETE' ? undefined : { ...readChanges(options), ...body }
    const app = await relay.ask<Readonly<Record<string, unknown>>>(method, at, sent)
    print(terminal, options, app, () => formatFields(app))
  }
}

const publicStreams = (): Option =>
  new Option('--public-streams', 'pages may read all streams with the stream secret, without a token')

const allowedOrigin = (): Option =>
  new Option(
    '--allowed-origin <origin>',
    'whose pages may read streams, such as https://shop.example; again for more; `any` for whoever’s',
  ).argParser<readonly string[] | undefined>((origin, before) => [...(before ?? []), origin])

function readChanges(changes: Changes): Readonly<Record<string, unknown>> {
  const { target, schedule, c2bFallback, dailyQuota, receives, publicStreams, allowedOrigin } = changes
  const pauses = schedule === 'default' ? null : schedule?.split(',').map(each => readNumber('--schedule', each))
  return {
    ...(target !== undefined && { targetUrl: target }),
    ...(pauses !== undefined && { scheduleMs: pauses }),
    ...(c2bFallback !== undefined && { c2bFallback }),
    ...(dailyQuota !== undefined && {
      dailyQuota: dailyQuota === 'none' ? null : readNumber('--daily-quota', dailyQuota),
    }),
    ...(receives !== undefined && { receives }),
    ...(publicStreams !== undefined && { publicStreams }),
    ...(allowedOrigin !== undefined && { allowedOrigins: allowedOrigin.includes('any') ? null : allowedOrigin }),
  }
}

/** In JSON what is no number is null, which takes a quota away; and nothing at all would be 0. */
function readNumber(option: string, text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isFinite(value)) return value
  throw new MpesaStkError('MPESA_STK_CLI_USAGE', `${option} takes numbers`)
}
