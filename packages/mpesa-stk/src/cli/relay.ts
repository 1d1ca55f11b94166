import { parseArgs } from 'node:util'
import { MpesaStkError } from '../core/errors.ts'
import { readRelayConfig } from './relay-config.ts'
import { relayHelp } from './relay-help.ts'
import { runRelay } from './run-relay.ts'

async function main(): Promise<number> {
  try {
    const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } })
    if (values.help === true) {
      console.log(relayHelp)
      return 0
    }
  } catch {
    console.error('mpesa-stk-relay takes no arguments; it is told by its environment: mpesa-stk-relay --help')
    return 2
  }
  try {
    return await runRelay(readRelayConfig(process.env))
  } catch (error) {
    if (!(error instanceof MpesaStkError)) throw error
    console.error(`${error.code}: ${error.message}`)
    // At once: what has begun (connections to a database, trying it again) would keep a relay alive that takes nothing.
    process.exit(1)
  }
}

void main().then(code => {
  process.exitCode = code
})
