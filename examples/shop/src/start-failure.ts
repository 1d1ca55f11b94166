import { resolve } from 'node:path'
import { MpesaStkError } from 'mpesa-stk'
import { SimulatorError } from 'mpesa-stk-simulator'

/** Why the demo cannot start, in a sentence that says what to do. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure'
}

type Attempt = {
  readonly host: string
  readonly port: number
  readonly simulatorPort: number
  readonly relayPort: number
  readonly data: string
}

export function cannotListen(error: unknown, attempt: Attempt): unknown {
  const { host, port } = attempt
  const code = codeOf(error)
  if (code === 'EADDRINUSE') {
    return new StartFailure(
      `Port ${port} on ${host} is in use. Stop what uses it, or start this shop beside it: ${besideAnother(attempt)}`,
    )
  }
  if (code === 'EACCES') {
    return new StartFailure(
      `Port ${port} on ${host} is not ours to open. Choose one above 1023: npm start -- --port 3000 --relay-port 4020`,
    )
  }
  if (code === 'EADDRNOTAVAIL') {
    return new StartFailure(`This machine has no address ${host}. Choose another: npm start -- --host 127.0.0.1`)
  }
  return error
}

export function cannotSimulate(error: unknown, attempt: Attempt): unknown {
  const { host, simulatorPort } = attempt
  if (!(error instanceof SimulatorError) || error.code !== 'SIMULATOR_PORT_IN_USE') return error
  return new StartFailure(
    `Port ${simulatorPort} on ${host} is in use; the simulator wants it. Another demo may be running: stop it, or start this one beside it: ${besideAnother(attempt)}`,
  )
}

export function cannotRelay(error: unknown, attempt: Attempt): unknown {
  const { host, relayPort } = attempt
  if (codeOf(error) !== 'EADDRINUSE') return cannotListen(error, { ...attempt, port: relayPort })
  return new StartFailure(
    `Port ${relayPort} on ${host} is in use; the relay wants it. Another demo may be running: stop it, or start this one beside it: ${besideAnother(attempt)}`,
  )
}

export function cannotStore(error: unknown, attempt: Attempt): unknown {
  const { data } = attempt
  const code = codeOf(error)
  if (code === 'MPESA_STK_SQLITE_IN_USE') {
    return new StartFailure(
      `Another process has ${data}/shop.db open, and only one may (MPESA_STK_SQLITE_IN_USE). Stop the other demo, or start this one beside it: ${besideAnother(attempt)}`,
    )
  }
  if (error instanceof MpesaStkError) return new StartFailure(`${error.message} (${error.code})`)
  if (code === null) return error
  return new StartFailure(
    `Cannot keep payments in ${data} (${code}). Make it a folder that you may write to, or choose another: npm start -- --data DIR`,
  )
}

function codeOf(error: unknown): string | null {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : null
  return typeof code === 'string' ? code : null
}

/** One line that starts a second demo, whatever of the first one is in its way. */
function besideAnother({ data, host }: Attempt): string {
  const folder = data === resolve('.data/second') ? '.data/third' : '.data/second'
  const flags = `--data ${folder} --port 0 --simulator-port 0 --relay-port 0`
  return `npm start -- ${flags}${host === '127.0.0.1' ? '' : ` --host ${host}`}`
}
