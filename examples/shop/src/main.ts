import { resolve } from 'node:path'
import { CommanderError } from 'commander'
import { describeCommand, type Flags, findMisuse } from './command-line.ts'
import { runOnce } from './run-once.ts'
import { runShop } from './run-shop.ts'
import { StartFailure } from './start-failure.ts'

async function main(): Promise<number> {
  const command = describeCommand()
  try {
    command.parse()
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return 0
    console.error('npm start -- --help tells what there is.')
    return 2
  }
  const misuse = findMisuse(command)
  if (misuse !== null) {
    console.error(misuse)
    return 2
  }
  const { once, scenario, json, port, simulatorPort, relayPort, host, data, latency } = command.opts<Flags>()
  try {
    if (once) return await runOnce(scenario, { json: json === true })
    return await runShop({ port, simulatorPort, relayPort, host, data: resolve(data), latency })
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error
    console.error(error.message)
    return 1
  }
}

process.exitCode = await main()
