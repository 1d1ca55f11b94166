import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runStep, type StepResult } from './check/run-step.ts'
import { pickSteps, type Step, steps } from './check/steps.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

const help = `npm run check [-- --only NAME,NAME] [--json]

Runs every check, also after one failed, and ends with a table. Exit code 1 if any failed.

${steps.map(step => `  ${step.name.padEnd(11)} ${step.title}`).join('\n')}

  --only   some steps, by name
  --json   the results as JSON on stdout, and nothing else`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  })
  if (values.help) {
    console.log(help)
    return
  }
  const json = values.json ?? false
  const results: StepResult[] = []
  for (const step of pickSteps(values.only)) results.push(await runAndReport(step, json))
  const passed = results.every(result => result.passed)
  if (json) console.log(JSON.stringify({ passed, steps: results }, null, 2))
  else printTable(results)
  process.exitCode = passed ? 0 : 1
}

async function runAndReport(step: Step, json: boolean): Promise<StepResult> {
  if (!json) console.log(`\n=== ${step.name}: ${step.title}\n> npx ${step.command.join(' ')}`)
  const result = await runStep(step, root, !json)
  if (json) return result
  console.log(`--- ${result.passed ? 'passed' : 'FAILED'} in ${result.seconds.toFixed(1)} s`)
  if (!result.passed && step.remedy) console.log(`    ${step.remedy}`)
  return result
}

function printTable(results: readonly StepResult[]): void {
  const rows = results.map(
    ({ name, title, passed, seconds }) =>
      `${passed ? 'passed' : 'FAILED'}  ${name.padEnd(11)}${`${seconds.toFixed(1)} s`.padStart(8)}  ${title}`,
  )
  const failed = results.filter(result => !result.passed).map(result => result.name)
  console.log(`\n${rows.join('\n')}`)
  if (failed.length === 0) console.log('all checks passed')
  else console.log(`failed: ${failed.join(', ')}   (again: npm run check -- --only ${failed.join(',')})`)
}

try {
  await main()
} catch (error) {
  console.error(`check: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
