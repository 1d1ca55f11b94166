import { readFile } from 'node:fs/promises'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { QueryRate } from './daraja/spike-arrest.ts'
import { sandboxQueryRate } from './daraja/spike-arrest.ts'
import type { SimulatorOptions } from './options.ts'
import { createSimulator } from './simulator.ts'
import { SimulatorError } from './simulator-error.ts'

/** What the command line needs from its process. */
export interface CliDoor {
  print(line: string): void
  printError(line: string): void
  /** Resolves when somebody asks the process to stop. */
  stopRequested(): Promise<void>
}

/** 0 stopped as asked; 1 failed; 2 wrong use; 3 the port is taken. */
export type CliExitCode = 0 | 1 | 2 | 3

interface Flags {
  readonly port: number
  readonly host: string
  readonly seed?: number
  readonly mode: 'sandbox' | 'strict'
  readonly latency: 'realistic' | 'none'
  readonly autoApproveMs?: number
  readonly promptTimeoutMs?: number
  readonly strictUrls?: true
  readonly twoMinuteRule?: true
  readonly busyPhone: 'sync' | 'async' | 'off'
  readonly callbackRetries: 'none' | 'three' | 'until-200'
  readonly spikeArrest: boolean
  readonly queryRate?: QueryRate
  readonly scenarios?: string
  readonly credentials?: string
  readonly json?: true
}

/** Runs the simulator from the words of a command line until it is asked to stop. */
export async function runCli(args: readonly string[], door: CliDoor): Promise<CliExitCode> {
  const command = describeCommand(door)
  try {
    command.parse(args, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    throw error
  }
  const flags = command.opts<Flags>()
  try {
    const simulator = await createSimulator(await toOptions(flags))
    // From here on a signal must find somebody who listens, so ask before saying that we are ready.
    const stop = door.stopRequested()
    const { url, seed } = simulator
    door.print(
      flags.json
        ? JSON.stringify({ event: 'ready', url, seed, mode: flags.mode, latency: flags.latency })
        : `ready ${url} (open it for the phone; seed ${seed}, ${flags.mode}, latency ${flags.latency})`,
    )
    await stop
    await simulator.close()
    return 0
  } catch (error) {
    return reportFailure(error, flags, door)
  }
}

function reportFailure(error: unknown, flags: Flags, door: CliDoor): CliExitCode {
  if (!(error instanceof SimulatorError) && !(error instanceof FileProblem)) throw error
  const code = error.code
  const portTaken = code === 'SIMULATOR_PORT_IN_USE'
  const message = portTaken
    ? `${error.message} For example: daraja-simulator --port ${flags.port === 65_535 ? 4010 : flags.port + 1}`
    : error.message
  door.printError(flags.json ? JSON.stringify({ event: 'error', code, message }) : `daraja-simulator: ${message}`)
  return portTaken ? 3 : 2
}

async function toOptions(flags: Flags): Promise<SimulatorOptions> {
  const { port, host, seed, mode, latency, autoApproveMs, promptTimeoutMs, strictUrls, twoMinuteRule, busyPhone } =
    flags
  return {
    ...{ port, host, seed, mode, latency, autoApproveMs, promptTimeoutMs, strictUrls, twoMinuteRule, busyPhone },
    callbackRetryPolicy: flags.callbackRetries,
    queryRate: flags.spikeArrest ? flags.queryRate : false,
    // Checked by createSimulator, which names what is wrong in them.
    ...(flags.scenarios ? { scenarios: (await readJsonList(flags.scenarios)) as SimulatorOptions['scenarios'] } : {}),
    ...(flags.credentials
      ? { credentials: (await readJsonList(flags.credentials)) as SimulatorOptions['credentials'] }
      : {}),
  }
}

class FileProblem extends Error {
  readonly code = 'SIMULATOR_FILE_UNREADABLE'
}

async function readJsonList(path: string): Promise<unknown[]> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new FileProblem(`Cannot read ${path}: ${error.message}`)
  })
  try {
    const value: unknown = JSON.parse(text)
    if (Array.isArray(value)) return value
  } catch (error) {
    throw new FileProblem(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  throw new FileProblem(`${path} must hold a JSON list: [ { … }, … ]`)
}

function wholeNumber(min: number, max: number) {
  return (text: string): number => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`)
    return value
  }
}

function parseRate(text: string): QueryRate {
  const [, limit, seconds] = /^(\d+)\/(\d+)s$/.exec(text) ?? []
  if (!limit || !seconds || Number(limit) < 1 || Number(seconds) < 1)
    throw new InvalidArgumentError('Give COUNT/SECONDSs, for example 5/60s.')
  return { limit: Number(limit), perMs: Number(seconds) * 1000, burst: sandboxQueryRate.burst }
}

const longestMs = 2_147_483_647

function describeCommand(door: CliDoor): Command {
  return new Command('daraja-simulator')
    .description('A Safaricom Daraja on this computer: no account, no money, and every fault on demand.')
    .addOption(new Option('--port <number>', 'where to listen').argParser(wholeNumber(0, 65_535)).default(4010))
    .option('--host <address>', 'address to listen on; anything but localhost opens the control API too', '127.0.0.1')
    .addOption(
      new Option('--seed <number>', 'repeat a run: same ids, receipts and delays').argParser(
        wholeNumber(0, 0xffff_ffff),
      ),
    )
    .addOption(
      new Option('--mode <mode>', 'sandbox is as tolerant as the real one; strict holds every documented rule')
        .choices(['sandbox', 'strict'])
        .default('sandbox'),
    )
    .addOption(
      new Option('--latency <how>', "Safaricom's pace, or no waiting at all")
        .choices(['realistic', 'none'])
        .default('realistic'),
    )
    .addOption(
      new Option('--auto-approve-ms <ms>', 'pay prompts that nobody answers after this time').argParser(
        wholeNumber(1, longestMs),
      ),
    )
    .addOption(
      new Option('--prompt-timeout-ms <ms>', 'end prompts that nobody answers with 1037 (default: 60000)').argParser(
        wholeNumber(1, longestMs),
      ),
    )
    .option('--strict-urls', 'refuse callback URLs that Daraja refuses: http, localhost, private networks')
    .option('--two-minute-rule', 'same amount, same customer, within two minutes: result 17')
    .addOption(
      new Option('--busy-phone <how>', 'second push to a phone with a live prompt: HTTP 500, result 1001, or allowed')
        .choices(['sync', 'async', 'off'])
        .default('sync'),
    )
    .addOption(
      new Option('--callback-retries <policy>', 'after a callback that was not answered 200')
        .choices(['none', 'three', 'until-200'])
        .default('none'),
    )
    .addOption(
      new Option('--query-rate <rate>', 'queries per app (default: 5/60s, as the sandbox)').argParser(parseRate),
    )
    .option('--no-spike-arrest', 'let apps query as often as they like')
    .option('--scenarios <file>', 'JSON list of scenarios that always apply')
    .option(
      '--credentials <file>',
      'JSON list of the only apps to accept: consumerKey, consumerSecret, shortCode, passkey',
    )
    .option('--json', 'print JSON lines')
    .addHelpText('after', helpAfter)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({
      writeOut: text => door.print(text.trimEnd()),
      writeErr: text => door.printError(text.trimEnd()),
    })
}

const helpAfter = `
First try:
  daraja-simulator                        then open http://127.0.0.1:4010 and watch the phone
  Point your app at http://127.0.0.1:4010 instead of https://sandbox.safaricom.co.ke.
  Any consumer key, secret, shortcode and passkey will do.

Who to charge:
  254708374149, 254700000000   pays            254700001032   cancels
  254700000001   has too little money          254700001037   cannot be reached
  254700002001   types a wrong PIN             254700000504   pays, but your push gets no answer
  any other number waits for you on the page   GET /__sim/test-numbers lists all

Look inside:
  curl http://127.0.0.1:4010/__sim/transactions     pushes, results, callback attempts
  curl http://127.0.0.1:4010/__sim/requests         what your app really sent

Exit codes: 0 stopped, 1 failed, 2 wrong use, 3 port in use.`
