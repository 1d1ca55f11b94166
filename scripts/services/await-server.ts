import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isSameProcess, type ProcessIdentity } from './process-identity.ts'
import { asUser, type ServiceUser } from './service-user.ts'

const startTimeoutMs = 60_000
const stopTimeoutMs = 30_000
const betweenAsksMs = 50

type Server = { program: string; args: string[]; cwd: string; logFile: string; user: ServiceUser | undefined }

/** Starts a program that outlives us: a session of its own (Ctrl-C here is not for it), output to its log. */
export function startInBackground(server: Server): ChildProcess {
  const log = openSync(server.logFile, 'a')
  try {
    const child = spawn(server.program, server.args, {
      cwd: server.cwd,
      detached: true,
      stdio: ['ignore', log, log],
      ...asUser(server.user),
    })
    child.unref()
    return child
  } finally {
    closeSync(log)
  }
}

/** Resolves when the probe gets a real answer; rejects at once when the server ends instead. */
export async function untilItAnswers(
  child: ChildProcess,
  probe: () => Promise<Error | undefined>,
  logFile: string,
): Promise<void> {
  let failure: string | undefined
  child.once('error', error => {
    failure = error.message
  })
  child.once('exit', (code, signal) => {
    failure = `it ended with ${signal ?? `exit code ${code}`}`
  })
  const deadline = Date.now() + startTimeoutMs
  for (;;) {
    const problem = await probe()
    if (failure) throw new Error(`${failure}\n${lastLines(logFile)}`)
    if (!problem) return
    if (Date.now() > deadline)
      throw new Error(`no answer in ${startTimeoutMs} ms: ${problem.message}\n${lastLines(logFile)}`)
    await sleep(betweenAsksMs)
  }
}

/** Sends the polite signal, waits until the process is gone, and only then insists. */
export async function endProcess(
  identity: ProcessIdentity,
  polite: NodeJS.Signals,
  insisting: NodeJS.Signals,
): Promise<'ended' | 'was not running'> {
  if (!isSameProcess(identity)) return 'was not running'
  for (const signal of [polite, insisting]) {
    process.kill(identity.pid, signal)
    const deadline = Date.now() + stopTimeoutMs
    while (Date.now() < deadline) {
      if (!isSameProcess(identity)) return 'ended'
      await sleep(betweenAsksMs)
    }
  }
  throw new Error(`process ${identity.pid} ignored ${polite} and ${insisting}`)
}

function lastLines(file: string): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-15).join('\n')
  } catch {
    return `(no log at ${file})`
  }
}
