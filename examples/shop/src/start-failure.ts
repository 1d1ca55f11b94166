import { MpesaStkError } from 'mpesa-stk'
import { SimulatorError } from 'mpesa-stk-simulator'

/** Why the demo cannot start, in a sentence that says what to do. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure'
}

type Attempt = { readonly host: string; readonly port: number; readonly simulatorPort: number; readonly data: string }

export function cannotListen(error: unknown, { host, port }: Attempt): unknown {
  const code = codeOf(error)
  if (code === 'EADDRINUSE') {
    return new StartFailure(
      `Port ${port} on ${host} is in use. Stop what uses it, or choose another: npm start -- --port ${nextPort(port)}`,
    )
  }
  if (code === 'EACCES') {
    return new StartFailure(
      `Port ${port} on ${host} is not ours to open. Choose one above 1023: npm start -- --port 3000`,
    )
  }
  if (code === 'EADDRNOTAVAIL') {
    return new StartFailure(`This machine has no address ${host}. Choose another: npm start -- --host 127.0.0.1`)
  }
  return error
}

export function cannotSimulate(error: unknown, { host, simulatorPort }: Attempt): unknown {
  if (!(error instanceof SimulatorError) || error.code !== 'SIMULATOR_PORT_IN_USE') return error
  return new StartFailure(
    `Port ${simulatorPort} on ${host} is in use; the simulator wants it. Another demo may be running: stop it, or choose another: npm start -- --simulator-port ${nextPort(simulatorPort)}`,
  )
}

export function cannotStore(error: unknown, { data }: Attempt): unknown {
  const code = codeOf(error)
  if (code === 'MPESA_STK_SQLITE_IN_USE') {
    return new StartFailure(
      `Another process has ${data}/shop.db open, and only one may (MPESA_STK_SQLITE_IN_USE). Stop the other demo, or give this one its own folder: npm start -- --data .data/second`,
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

function nextPort(port: number): number {
  return port < 65_535 ? port + 1 : 0
}
