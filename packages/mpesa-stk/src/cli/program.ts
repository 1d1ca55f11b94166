import { Command, CommanderError } from 'commander'
import { describeError, MpesaStkError } from '../core/errors.ts'
import { addAppCommands } from './commands/apps.ts'
import { addDoctorCommand } from './commands/doctor.ts'
import { addEventCommands } from './commands/events.ts'
import { addExplainCommand } from './commands/explain.ts'
import { addListenCommand } from './commands/listen.ts'
import { addMigrateCommand } from './commands/migrate.ts'
import { addPaymentCommands } from './commands/payments.ts'
import { addQuarantineCommands } from './commands/quarantine.ts'
import { addRelayCommand } from './commands/relay.ts'
import { addReplayCommand } from './commands/replay.ts'
import { addTriggerCommand } from './commands/trigger.ts'
import { Exit, exitCodeOf, exitCodes } from './exit-codes.ts'
import { paint, type Terminal } from './terminal.ts'

const commands = [
  addRelayCommand,
  addAppCommands,
  addExplainCommand,
  addDoctorCommand,
  addPaymentCommands,
  addTriggerCommand,
  addEventCommands,
  addReplayCommand,
  addListenCommand,
  addQuarantineCommands,
  addMigrateCommand,
]

const footer = `
Where the relay is and who asks:

  RELAY_URL             where it answers; else on this machine at PORT (3000), else its data in RELAY_DATA_DIR or DATABASE_URL
  RELAY_ADMIN_TOKEN     the operator's token
  RELAY_SIGNING_SECRET  or one app's signing secret
  --token-file          or the file that either is in; never on the command line, where others can read it

Exit codes: 0 done, 1 failed, 2 not understood, 3 not found, 4 not allowed, 5 no relay or store answers,
130 Ctrl-C.`

/**
 * Runs `mpesa-stk` with these arguments.
 *
 * @returns the exit code, one of `exitCodes`
 */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<number> {
  const isJson = args.includes('--json')
  const program = createProgram(terminal, isJson)
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCodes.done
  } catch (error) {
    return tell(error, terminal, isJson)
  }
}

function createProgram(terminal: Terminal, isJson: boolean): Command {
  const program = new Command('mpesa-stk')
    .description('M-Pesa payments and the relay of their callbacks: look, redeliver, explain, check.')
    .option('--json', 'write JSON, for programs')
    .option('--relay <url>', 'where the relay answers')
    .option('--token-file <path>', 'a file with the admin token, or with an app’s signing secret')
    .addHelpText('after', footer)
    .showHelpAfterError('(--help behind the command shows how it goes)')
    .exitOverride()
    .configureOutput({
      writeOut: text => terminal.out(text.trimEnd()),
      // With --json it is told as JSON, by `tell`.
      writeErr: text => {
        if (!isJson) terminal.note(text.trimEnd())
      },
    })
  for (const add of commands) add(program, terminal)
  for (const command of allOf(program)) command.copyInheritedSettings(program)
  return program
}

function allOf(command: Command): readonly Command[] {
  return command.commands.flatMap(each => [each, ...allOf(each)])
}

/** What nobody foresaw is told without a stack: it is no use to whoever reads it at night. */
function toFailure(cause: unknown): MpesaStkError {
  const { code, message, name } = describeError(cause)
  const what = message ?? name ?? 'unknown'
  return new MpesaStkError(
    'MPESA_STK_CLI_FAILED',
    code === undefined || what.includes(code) ? what : `${code}: ${what}`,
    { cause },
  )
}

function tell(error: unknown, terminal: Terminal, isJson: boolean): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.done
    // For a person commander has told it already.
    const message = error.message.replace(/^error: /, '')
    if (isJson) terminal.note(JSON.stringify({ error: { code: 'MPESA_STK_CLI_USAGE', message } }))
    return exitCodes.usage
  }
  if (error instanceof Exit) return error.exitCode
  if (terminal.signal.aborted) return exitCodes.interrupted
  const { code, message } = error instanceof MpesaStkError ? error : toFailure(error)
  terminal.note(isJson ? JSON.stringify({ error: { code, message } }) : `${paint(terminal, 'red', code)}: ${message}`)
  return exitCodeOf(code)
}
