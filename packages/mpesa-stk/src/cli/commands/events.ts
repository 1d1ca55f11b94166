import { type Command, Option } from 'commander'
import { deliveryStatuses, eventKinds } from '../../core/deliver/relay-event.ts'
import { type EventView, type EventWithAttempts, eventLine } from '../event-view.ts'
import { followLog, gapWarning } from '../follow-log.ts'
import { readTime, shortTime, timeHelp } from '../read-time.ts'
import { openRelayClient, queryOf } from '../relay-client.ts'
import { formatFields, formatTable } from '../table.ts'
import { type CommonOptions, clip, harmless, print, type Terminal } from '../terminal.ts'

type Page = { readonly events: readonly EventView[]; readonly next: string | null }
type ListOptions = CommonOptions &
  Readonly<Partial<Record<'status' | 'kind' | 'from' | 'to' | 'limit' | 'before', string>>>

export function addEventCommands(program: Command, terminal: Terminal): void {
  const events = program.command('events').description('what came in for an app, and what became of it')

  events
    .command('list <appId>')
    .description('list events, newest first')
    .addOption(new Option('--status <status>', 'only these').choices([...deliveryStatuses]))
    .addOption(new Option('--kind <kind>', 'only these').choices([...eventKinds]))
    .option('--from <time>', `received at or after: ${timeHelp}`)
    .option('--to <time>', 'received at or before')
    .option('--limit <n>', 'at most so many', '50')
    .option('--before <eventId>', 'only what came before this one')
    .action(async (appId: string, _options, command: Command) => {
      const options = command.optsWithGlobals<ListOptions>()
      const { status, kind, limit, before } = options
      const times = { from: readTime('--from', options.from), to: readTime('--to', options.to) }
      await using relay = await openRelayClient(terminal, options)
      const query = queryOf({ status, kind, limit, before, ...times })
      const page = await relay.ask<Page>('GET', `/v1/apps/${encodeURIComponent(appId)}/events${query}`)
      print(terminal, options, page, () =>
        clip(
          terminal,
          formatTable(['event', 'came (UTC)', 'kind', 'status', 'tries', 'last error'], page.events.map(toRow)),
        ),
      )
      if (page.next !== null) terminal.note(`older ones: --before ${page.next}`)
    })

  events
    .command('tail <appId>')
    .description('a line for each event as it comes, until Ctrl-C')
    .option('--since-start', 'those that came before as well, from the first')
    .action(async (appId: string, _options, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions & { sinceStart?: true }>()
      await using relay = await openRelayClient(terminal, options)
      const log = followLog(terminal, relay, appId, {})
      let after = options.sinceStart === true ? undefined : 'latest'
      for (;;) {
        const page = await log.read(after)
        if (page === null) return
        if (page.gap) terminal.note(gapWarning(terminal))
        for (const { event } of page.entries) print(terminal, options, event, () => eventLine(terminal, event))
        after = page.cursor
      }
    })

  events
    .command('show <eventId>')
    .description('show an event: every attempt to deliver it, and what Safaricom sent')
    .action(async (eventId: string, _options, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      await using relay = await openRelayClient(terminal, options)
      const event = await relay.ask<EventWithAttempts>('GET', `/v1/events/${encodeURIComponent(eventId)}`)
      print(terminal, options, event, () => describe(terminal, event))
    })
}

function toRow({ eventId, receivedAt, kind, status, attemptCount, lastError }: EventView): readonly string[] {
  return [eventId, shortTime(receivedAt), kind, status, String(attemptCount), lastError ?? '']
}

function describe(terminal: Terminal, { attempts, body, isBodyRemoved, ...event }: EventWithAttempts): string {
  const rows = attempts.map(({ number, at, durationMs, httpStatus, errorClass, responseHead }) => [
    String(number),
    shortTime(at),
    `${durationMs} ms`,
    httpStatus === null ? '-' : String(httpStatus),
    errorClass ?? 'delivered',
    harmless(responseHead.replace(/\s+/g, ' ')),
  ])
  const table = formatTable(['try', 'at (UTC)', 'took', 'HTTP', 'what', 'answer'], rows)
  return [
    formatFields(event),
    rows.length === 0 ? 'not tried yet' : clip(terminal, table),
    isBodyRemoved ? 'its body was removed for its age' : harmless(JSON.stringify(body, null, 2)),
  ].join('\n\n')
}
