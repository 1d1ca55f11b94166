import type { Command } from 'commander'
import { readRelayConfig } from '../relay-config.ts'
import { relayHelp } from '../relay-help.ts'
import { runRelay } from '../run-relay.ts'
import type { Terminal } from '../terminal.ts'

export function addRelayCommand(program: Command, { environment }: Terminal): void {
  program
    .command('relay')
    .description('run the relay, until Ctrl-C')
    .addHelpText('after', `\n${relayHelp}`)
    .action(async () => {
      await runRelay(readRelayConfig(environment))
    })
}
