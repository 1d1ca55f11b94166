import type { Command } from 'commander'
import { shortTime } from '../read-time.ts'
import { openRelayClient, queryOf } from '../relay-client.ts'
import { formatFields, formatTable } from '../table.ts'
import { type CommonOptions, clip, harmless, print, type Terminal } from '../terminal.ts'

type About = {
  readonly id: string
  readonly appId: string
  readonly reason: string
  readonly detail: string
  readonly length: number
  readonly receivedAt: string
}
type Page = { readonly bodies: readonly (About & { readonly head: string })[]; readonly next: string | null }
type Released = { readonly outcome: 'recorded' | 'repeat'; readonly appId: string; readonly eventId: string | null }

export function addQuarantineCommands(program: Command, terminal: Terminal): void {
  const quarantine = program
    .command('quarantine')
    .description('what came in and is nobody’s event: look, and release what is one after all')

  quarantine
    .command('list')
    .description('list it, newest first')
    .option('--limit <n>', 'at most so many', '50')
    .option('--before <id>', 'only what came before this one')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions & { limit: string; before?: string }>()
      const { limit, before } = options
      await using relay = await openRelayClient(terminal, options)
      const page = await relay.ask<Page>('GET', `/v1/quarantine${queryOf({ limit, before })}`)
      print(terminal, options, page, () =>
        clip(terminal, formatTable(['id', 'came (UTC)', 'why', 'bytes', 'begins with'], page.bodies.map(toRow))),
      )
      if (page.next !== null) terminal.note(`older ones: --before ${page.next}`)
    })

  quarantine
    .command('show <id>')
    .description('show one with its body')
    .action(async (id: string, _options, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      await using relay = await openRelayClient(terminal, options)
      const found = await relay.ask<About & { bodyBase64: string }>('GET', pathOf(id))
      const { bodyBase64, ...about } = found
      print(
        terminal,
        options,
        found,
        () => `${formatFields(about)}\n\n${harmless(Buffer.from(bodyBase64, 'base64').toString())}`,
      )
    })

  quarantine
    .command('release <id>')
    .description('make it the event that it would be if it came in now; what is none stays')
    .option('--app <appId>', 'for this app, where it was posted to another or to none')
    .action(async (id: string, _options, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions & { app?: string }>()
      const { app: appId } = options
      await using relay = await openRelayClient(terminal, options)
      const released = await relay.ask<Released>('POST', `${pathOf(id)}/release`, appId === undefined ? {} : { appId })
      print(terminal, options, released, () => describe(released, relay.isRunning))
    })
}

function pathOf(id: string): string {
  return `/v1/quarantine/${encodeURIComponent(id)}`
}

function toRow({ id, receivedAt, reason, length, head }: Page['bodies'][number]): readonly string[] {
  return [id, shortTime(receivedAt), reason, String(length), head]
}

function describe({ outcome, appId, eventId }: Released, isRunning: boolean): string {
  if (outcome === 'repeat') return `app ${appId} had it already: nothing is delivered twice, and it left the quarantine`
  const when = isRunning ? 'it is delivered now' : 'it is delivered when a relay runs'
  return `released as event ${eventId} of app ${appId}; ${when}`
}
