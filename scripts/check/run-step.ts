import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import type { Step } from './steps.ts'

export type StepResult = { name: string; title: string; passed: boolean; seconds: number; output: string }

/** Runs one step to its end; a step that cannot even start is a failed step, never an exception. */
export function runStep(step: Step, root: string, echo: boolean): Promise<StepResult> {
  const [program, ...args] = step.command
  const startedAt = performance.now()
  let output = ''
  const keep = (chunk: Buffer) => {
    output += chunk.toString('utf8')
    if (echo) process.stdout.write(chunk)
  }
  return new Promise(resolve => {
    const finish = (passed: boolean) => {
      const seconds = Math.round((performance.now() - startedAt) / 10) / 100
      // Some tools colour their output whatever NO_COLOR says.
      resolve({ name: step.name, title: step.title, passed, seconds, output: stripVTControlCharacters(output) })
    }
    const colours = echo && process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }
    const child = spawn(join(root, 'node_modules/.bin', program), args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...colours },
    })
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.once('error', error => {
      keep(Buffer.from(`${program} did not start: ${error.message}\nis everything installed? npm ci\n`))
      finish(false)
    })
    child.once('close', code => finish(code === 0))
  })
}
