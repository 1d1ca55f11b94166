import { type Command, Option } from 'commander'
import { replayableStatuses } from '../../core/deliver/replay-run.ts'
import { MpesaStkError } from '../../core/errors.ts'
import { callbackKinds } from '../../core/receive/classify-callback.ts'
import { Exit, exitCodes } from '../exit-codes.ts'
import { readTime, timeHelp } from '../read-time.ts'
import { openRelayClient, type RelayClient } from '../relay-client.ts'
import { type ReplayView, watchEvent, watchReplay } from '../replay-watch.ts'
import { formatFields } from '../table.ts'
import { type CommonOptions, print, type Terminal } from '../terminal.ts'

type Filter = Readonly<Partial<Record<'status' | 'kind' | 'from' | 'to' | 'perSecond', string>>>
type Options = CommonOptions &
  Filter & { readonly app?: string; readonly dryRun?: true; readonly cancel?: string; readonly wait: boolean }

const help = `
One event, or with --app all that are DEAD (or FAILED, or DELIVERED) at a pace, oldest first; --dry-run only counts them.
A replayed event has the same event id, a new attempt and the whole schedule. The relay does the work: Ctrl-C here leaves
it going, and --cancel stops it.

  mpesa-stk replay --app APP --from 2h --dry-run
  mpesa-stk replay --app APP --from 2h --per-second 20
  mpesa-stk replay --app APP --cancel REPLAY`

export function addReplayCommand(program: Command, terminal: Terminal): void {
  program
    .command('replay [eventId]')
    .description('deliver an event again, or many')
    .option('--app <appId>', 'many of this app')
    .addOption(new Option('--status <status>', 'which of them (default: DEAD)').choices([...replayableStatuses]))
    .addOption(new Option('--kind <kind>', 'only these').choices([...callbackKinds]))
    .option('--from <time>', `received at or after: ${timeHelp}`)
    .option('--to <time>', 'received at or before')
    .option('--per-second <n>', 'at most so many a second (default: 50)')
    .option('--dry-run', 'only count them')
    .option('--cancel <replayId>', 'stop a replay that goes on')
    .option('--no-wait', 'begin it, and do not look on')
    .addHelpText('after', help)
    .action(async (eventId: string | undefined, _options, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      const { app } = options
      if ((eventId === undefined) === (app === undefined)) throw usage('name one event, or an app with --app')
      if (eventId !== undefined || options.cancel !== undefined) refuseFilters(options)
      const ask = app === undefined ? {} : readFilter(options)
      await using relay = await openRelayClient(terminal, options)
      if (eventId !== undefined) await replayOne(terminal, options, relay, eventId)
      else if (options.cancel !== undefined) await cancel(terminal, options, relay, pathOf(app ?? '', options.cancel))
      else await replayMany(terminal, options, relay, app ?? '', ask)
    })
}

async function replayOne(terminal: Terminal, options: Options, relay: RelayClient, eventId: string): Promise<void> {
  const path = `/v1/events/${encodeURIComponent(eventId)}`
  const { attemptCount } = await relay.ask<{ attemptCount: number }>('GET', path)
  await relay.ask('POST', `${path}/replay`)
  if (!relay.isRunning) return print(terminal, options, { replayed: 1 }, () => `due again; ${noRelay}`)
  if (!options.wait) return print(terminal, options, { replayed: 1 }, () => 'due again')
  const event = await watchEvent(terminal, relay, path, attemptCount)
  const { status, lastError } = event
  print(terminal, options, event, () =>
    event.attemptCount > attemptCount || status === 'DEAD'
      ? `${status.toLowerCase()}${lastError === null ? '' : `: ${lastError}`}`
      : `due again, and not tried yet; look later with: mpesa-stk events show ${eventId}`,
  )
  if (status === 'FAILED' || status === 'DEAD') throw new Exit(exitCodes.failed)
}

async function replayMany(
  terminal: Terminal,
  options: Options,
  relay: RelayClient,
  appId: string,
  filter: object,
): Promise<void> {
  const path = `/v1/apps/${encodeURIComponent(appId)}/replay`
  if (options.dryRun === true) {
    const counted = await relay.ask<{ matched: number }>('POST', path, { ...filter, dryRun: true })
    print(terminal, options, counted, () => `${counted.matched} events would be delivered again`)
    return
  }
  const begun = await relay.ask<ReplayView>('POST', path, filter)
  const { replayId, matched } = begun
  const howToCancel = `mpesa-stk replay --app ${appId} --cancel ${replayId}`
  if (!relay.isRunning) {
    print(terminal, options, begun, () => `${matched} events: begun as replay ${replayId}; ${noRelay}`)
    return
  }
  if (!options.wait) {
    print(terminal, options, begun, () => `${matched} events: begun as replay ${replayId}; to stop it: ${howToCancel}`)
    return
  }
  const ended = await watchReplay(terminal, options, relay, pathOf(appId, replayId), begun, howToCancel)
  // Left with Ctrl-C: it has been told where it goes on.
  if (terminal.signal.aborted && options.json !== true) return
  print(terminal, options, ended, () => describe(ended, appId))
}

async function cancel(terminal: Terminal, options: Options, relay: RelayClient, path: string): Promise<void> {
  const replay = await relay.ask<ReplayView>('POST', `${path}/cancel`)
  print(terminal, options, replay, () => formatFields(replay))
}

const noRelay = 'no relay runs here, so nothing is delivered until one is started (mpesa-stk relay)'

function describe({ state, replayed, matched }: ReplayView, appId: string): string {
  if (state === 'CANCELLED') return `cancelled after ${replayed} of ${matched} events`
  if (matched === 0) return 'there is nothing to deliver again'
  return (
    `${replayed} of ${matched} events are due again. Which of them fail, and which wait (for a minute, where the endpoint failed before):\n` +
    `  mpesa-stk events list ${appId} --status FAILED\n  mpesa-stk events list ${appId} --status PENDING`
  )
}

function pathOf(appId: string, replayId: string): string {
  return `/v1/apps/${encodeURIComponent(appId)}/replays/${encodeURIComponent(replayId)}`
}

function readFilter({ status, kind, from, to, perSecond }: Filter): object {
  return {
    ...(status !== undefined && { status }),
    ...(kind !== undefined && { kind }),
    ...(from !== undefined && { from: readTime('--from', from) }),
    ...(to !== undefined && { to: readTime('--to', to) }),
    ...(perSecond !== undefined && { perSecond: Number(perSecond) }),
  }
}

const narrowing = ['status', 'kind', 'from', 'to', 'perSecond', 'dryRun'] as const

/** Else whoever believes that he has narrowed it, or only counts, does more than he knows. */
function refuseFilters({ app, cancel, ...options }: Options): void {
  if (cancel !== undefined && app === undefined) throw usage('--cancel goes with --app')
  if (narrowing.every(name => options[name] === undefined)) return
  throw usage('--status, --kind, --from, --to, --per-second and --dry-run go with --app, and not with --cancel')
}

function usage(message: string): MpesaStkError {
  return new MpesaStkError('MPESA_STK_CLI_USAGE', message)
}
