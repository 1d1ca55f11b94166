import { Command, InvalidArgumentError, Option } from 'commander'
import { onceScenarios } from './once-scenarios.ts'

export type Flags = {
  readonly port: number
  readonly simulatorPort: number
  readonly relayPort: number
  readonly host: string
  readonly data: string
  readonly latency: 'none' | 'realistic'
  readonly once?: true
  readonly scenario: string
  readonly json?: true
}

/** Callbacks come over loopback, so the shop must listen there too. */
const hosts = ['127.0.0.1', 'localhost', '::1', '0.0.0.0', '::']

export function describeCommand(): Command {
  return new Command('npm start --')
    .description(
      'A shop that takes M-PESA with mpesa-stk, a Safaricom on this computer to pay it with, and a relay that brings the callbacks.',
    )
    .usage('[flags]')
    .addOption(
      new Option('--port <number>', "the shop's port; 0 takes a free one")
        .argParser(readPort)
        .env('PORT')
        .default(3000),
    )
    .addOption(
      new Option('--simulator-port <number>', "the simulator's port; 0 takes a free one")
        .argParser(readPort)
        .default(4010),
    )
    .addOption(
      new Option('--relay-port <number>', "the relay's port; 0 takes a free one").argParser(readPort).default(4020),
    )
    .addOption(
      new Option('--host <address>', '0.0.0.0 lets phones on your network in').choices(hosts).default('127.0.0.1'),
    )
    .option(
      '--data <folder>',
      'where payments, orders and callbacks are kept; --once uses a temporary folder instead',
      '.data',
    )
    .addOption(
      new Option('--latency <how>', "answer at once, or at Safaricom's pace")
        .choices(['none', 'realistic'])
        .default('none'),
    )
    .option('--once', 'make one payment, print its story, and exit')
    .addOption(
      new Option('--scenario <name>', 'with --once: what happens to it; the names are below')
        .choices(onceScenarios.map(({ name }) => name))
        .default('paid'),
    )
    .option('--json', 'with --once: print one JSON document')
    .addHelpText('after', helpAfter())
    .allowExcessArguments(false)
    .exitOverride()
}

/** A word about flags that mean nothing together, or null. */
export function findMisuse(command: Command): string | null {
  if (command.getOptionValue('once') === true) return null
  const name = ['scenario', 'json'].find(option => command.getOptionValueSource(option) === 'cli')
  return name === undefined ? null : `--${name} means something only with --once: npm start -- --once --${name} …`
}

function readPort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('Give a whole number from 0 to 65535.')
  return port
}

function helpAfter(): string {
  const width = Math.max(...onceScenarios.map(({ name }) => name.length)) + 2
  const lines = onceScenarios.map(({ name, about, expected }) => `  ${name.padEnd(width)}${about} → ${expected}`)
  return `
First try:
  npm start                                     then open http://127.0.0.1:3000 and pay
  npm start -- --once                           one payment and its story, in a second
  npm start -- --once --scenario ack-lost       what happens when Safaricom's answer is lost

Scenarios, and how each ends:
${lines.join('\n')}

When it does not start:
  port in use        npm start -- --port 0 --simulator-port 0 --relay-port 0
  a second demo      npm start -- --data .data/second --port 0 --simulator-port 0 --relay-port 0
  start afresh       stop it and delete the folder .data

Exit codes: 0 stopped as asked, or --once ended as expected; 1 failed; 2 wrong use.`
}
