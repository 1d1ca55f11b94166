import type { Command } from 'commander'
import { MpesaStkError } from '../../core/errors.ts'
import { type CursorFile, openCursorFile } from '../cursor-file.ts'
import { type FollowedLog, followLog, gapWarning, type LogEntry } from '../follow-log.ts'
import { createForwarder, type Forwarded, type Forwarder } from '../forward.ts'
import { backoffMs, pause } from '../pause.ts'
import { shortTime } from '../read-time.ts'
import { openRelayClient } from '../relay-client.ts'
import { type CommonOptions, clip, paint, print, type Terminal } from '../terminal.ts'

type Options = CommonOptions & { readonly forwardTo: string; readonly cursorFile?: string }
type Listener = {
  readonly terminal: Terminal
  readonly options: Options
  readonly log: FollowedLog
  readonly cursors: CursorFile
  readonly forwarder: Forwarder
}

/** Few at once: a signature says when it was made, and receivers refuse one that is old. */
const pageLength = '20'

const help = `
Each callback is posted as the relay would deliver it, headers and signature included, one after the other. One that your server
does not answer with 2xx is posted again (after 1 s to 30 s) until it is: none is skipped. How far it has come is kept in the
cursor file, so that it goes on there after a restart; without one it begins with what comes from now on. The app's own target
is delivered to all the same.

  RELAY_URL=https://relay.example RELAY_SIGNING_SECRET=… mpesa-stk listen APP --forward-to http://localhost:3000/mpesa/callback`

export function addListenCommand(program: Command, terminal: Terminal): void {
  program
    .command('listen <appId>')
    .description('forward an app’s callbacks to a server on this machine, until Ctrl-C')
    .requiredOption('--forward-to <url>', 'where to post them')
    .option('--cursor-file <path>', 'where to keep how far it has come (default: .mpesa-stk/listen-<appId>.json)')
    .addHelpText('after', help)
    .action(async (appId: string, _options, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      const { forwardTo } = options
      if (!URL.canParse(forwardTo) || !/^https?:$/.test(new URL(forwardTo).protocol)) {
        throw new MpesaStkError('MPESA_STK_CLI_USAGE', '--forward-to takes an http:// or https:// address')
      }
      await using relay = await openRelayClient(terminal, options)
      const log = followLog(terminal, relay, appId, { deliveries: '1', limit: pageLength })
      using cursors = await openCursorFile(options.cursorFile ?? defaultFile(appId), appId)
      await using forwarder = createForwarder(forwardTo)
      await listen({ terminal, options, log, cursors, forwarder })
    })
}

function defaultFile(appId: string): string {
  return `.mpesa-stk/listen-${appId.replace(/[^\w-]/g, '_')}.json`
}

async function listen({ terminal, options, log, cursors, forwarder }: Listener): Promise<void> {
  const { signal } = terminal
  const kept = cursors.read()
  let cursor = kept ?? (await begin(log, cursors))
  if (cursor === null) return
  const since = kept === null ? 'from now on' : 'from where it stopped'
  terminal.note(`${since} callbacks go to ${options.forwardTo}; Ctrl-C to end`)
  let failures = 0
  let hasTold = false
  while (!signal.aborted) {
    const page = await log.read(cursor)
    if (page === null) return
    if (page.gap && !hasTold) terminal.note(gapWarning(terminal))
    hasTold = page.gap
    for (const entry of page.entries) {
      if (entry.delivery === undefined) {
        terminal.note(paint(terminal, 'red', `${entry.event.eventId}: its body was removed for its age; not forwarded`))
        continue
      }
      const forwarded = await forwarder.forward(entry.delivery)
      failures = forwarded.isAcked ? 0 : failures + 1
      tell(terminal, options, entry, forwarded, failures)
      if (!forwarded.isAcked) break
      // What is not on the disk when we die is forwarded again.
      cursors.write(entry.cursor)
      cursor = entry.cursor
      if (signal.aborted) return
    }
    if (failures > 0) await pause(backoffMs(failures), signal)
    else if (page.cursor !== cursor) {
      cursors.write(page.cursor)
      cursor = page.cursor
    }
  }
}

/** Its place is on the disk before anything is waited for: what comes while we are away must come after it. */
async function begin(log: FollowedLog, cursors: CursorFile): Promise<string | null> {
  const page = await log.read('latest')
  if (page !== null) cursors.write(page.cursor)
  return page?.cursor ?? null
}

function tell(
  terminal: Terminal,
  options: Options,
  { event }: LogEntry,
  { isAcked, httpStatus, said, durationMs }: Forwarded,
  failures: number,
): void {
  const retryInMs = isAcked ? null : backoffMs(failures)
  const { eventId, kind } = event
  print(terminal, options, { eventId, kind, isAcked, httpStatus, said, durationMs, retryInMs }, () => {
    const time = shortTime(new Date().toISOString()).slice(6)
    const line = `${time}  ${kind.padEnd(6)}  ${eventId}  ${said}`
    const whole = clip(
      terminal,
      retryInMs === null ? `${line} in ${durationMs} ms` : `${line}, again in ${retryInMs / 1_000} s`,
    )
    return paint(terminal, isAcked ? 'green' : 'yellow', whole)
  })
}
