import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { processesOfGroup } from './services/process-identity.ts'

// Does what a newcomer does first: `npm start` until it is ready, opens every address that it names, ends it; and then
// `npm start -- --once`. On free ports and with data of its own, so it disturbs nothing that runs.

const root = fileURLToPath(new URL('..', import.meta.url))
const entry = 'examples/shop/src/main.ts'
const readyWithinMs = 30_000
const endWithinMs = 15_000
const onceWithinMs = 60_000

type Program = { child: ChildProcess; output: () => string; ended: Promise<number> }

function npmStart(...args: string[]): Program {
  // A process group of its own: npm, the runner and Node are three processes, and none may be left behind.
  const child = spawn('npm', ['start', '--', ...args], { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const keep = (chunk: Buffer) => {
    output += chunk.toString('utf8')
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? (signal === 'SIGTERM' ? 143 : 1)))
  })
  return { child, output: () => output, ended }
}

/** The first line that begins with `ready`; rejects when the program ends before it or is too slow. */
async function readyLine(program: Program): Promise<string> {
  const found = new Promise<string>(resolve => {
    const look = () => {
      const line = /^ready.*$/m.exec(program.output())?.[0]
      // A line counts when it is whole.
      if (line !== undefined && program.output().includes(`${line}\n`)) resolve(line)
    }
    program.child.stdout?.on('data', look)
  })
  const tooEarly = program.ended.then(code => {
    throw new Error(`npm start ended with exit code ${code} before it was ready`)
  })
  return within(readyWithinMs, 'a line that begins with "ready"', Promise.race([found, tooEarly]))
}

async function openEveryAddress(line: string): Promise<void> {
  const addresses = line.match(/https?:\/\/[^\s,;)]+/g) ?? []
  if (addresses.length === 0) throw new Error(`the ready line names no address: ${line}`)
  for (const address of addresses) {
    const answer = await fetch(address, { signal: AbortSignal.timeout(10_000) })
    await answer.text()
    console.log(`${address} answered ${answer.status}`)
    if (!answer.ok) throw new Error(`a person who opens ${address} gets ${answer.status}`)
  }
}

/**
 * The shop's own process. A signal for npm would not reach it: npm ends the shell between them, and the shell ends
 * without a word to its child. (Ctrl-C in a terminal goes to all of them.)
 */
function shopOf(program: Program): number {
  const running = processesOfGroup(program.child.pid ?? 0).filter(({ words }) =>
    words.some(word => word.endsWith(entry)),
  )
  const innermost = running.find(({ pid }) => !running.some(({ parent }) => parent === pid))
  if (!innermost) throw new Error(`no process of npm start runs ${entry}`)
  return innermost.pid
}

/** npm may end a moment before what it started. */
async function expectNothingLeft(program: Program): Promise<void> {
  const deadline = Date.now() + endWithinMs
  while (processesOfGroup(program.child.pid ?? 0).length > 0) {
    if (Date.now() > deadline) throw new Error('npm start ended, but left a process behind')
    await sleep(100)
  }
}

function endGroup(program: Program): void {
  const { pid } = program.child
  if (pid !== undefined && processesOfGroup(pid).length > 0) process.kill(-pid, 'SIGKILL')
}

async function within<T>(limitMs: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${limitMs} ms for ${what}`)), limitMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

async function smokeServer(data: string): Promise<void> {
  const program = npmStart('--port', '0', '--simulator-port', '0', '--relay-port', '0', '--data', data)
  try {
    const line = await readyLine(program)
    console.log(line)
    await openEveryAddress(line)
    process.kill(shopOf(program), 'SIGTERM')
    const code = await within(endWithinMs, 'npm start to end after SIGTERM', program.ended)
    if (code !== 0 && code !== 143) throw new Error(`npm start ended with exit code ${code} after SIGTERM`)
    await expectNothingLeft(program)
    console.log('ended after SIGTERM and left nothing behind')
  } catch (error) {
    throw new Error(`${messageOf(error)}\n--- its output:\n${program.output()}`, { cause: error })
  } finally {
    endGroup(program)
  }
}

async function smokeOnce(data: string): Promise<void> {
  const program = npmStart('--once', '--data', data)
  try {
    const code = await within(onceWithinMs, 'npm start -- --once to end', program.ended)
    if (code !== 0) throw new Error(`npm start -- --once ended with exit code ${code}`)
    console.log('npm start -- --once made its payment and exited 0')
  } catch (error) {
    throw new Error(`${messageOf(error)}\n--- its output:\n${program.output()}`, { cause: error })
  } finally {
    endGroup(program)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

const data = mkdtempSync(join(tmpdir(), 'mpesa-stk-smoke-'))
try {
  await smokeServer(join(data, 'server'))
  await smokeOnce(join(data, 'once'))
} catch (error) {
  console.error(`smoke: ${messageOf(error)}`)
  process.exitCode = 1
} finally {
  rmSync(data, { recursive: true, force: true })
}
