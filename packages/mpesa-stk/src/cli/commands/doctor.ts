import type { Command } from 'commander'
import { checks } from '../../doctor/checks.ts'
import type { Finding } from '../../doctor/finding.ts'
import { type CheckReport, runChecks } from '../../doctor/run-checks.ts'
import { Exit, exitCodes } from '../exit-codes.ts'
import { type CommonOptions, paint, type Terminal } from '../terminal.ts'

type Options = CommonOptions & { readonly offline?: true }

const deadlineMs = 10_000

export function addDoctorCommand(program: Command, terminal: Terminal): void {
  program
    .command('doctor')
    .description('check this set-up: what is wrong, why it costs money, and what mends it')
    .option('--offline', 'ask nobody over the network')
    .addHelpText(
      'after',
      '\nIt looks at the environment and the folder that it is started in. Exit code 1 when it finds an error.',
    )
    .action(async (_options, command: Command) => {
      const { json, offline } = command.optsWithGlobals<Options>()
      const running = runChecks(
        checks,
        { environment: terminal.environment, folder: process.cwd(), now: new Date(), isOffline: offline === true },
        deadlineMs,
      )
      const reports = []
      for (const report of running) {
        reports.push(await report)
        if (json !== true) terminal.out(summarise(terminal, await report))
      }
      const findings = reports.flatMap(report => report.findings)
      const isWell = findings.every(({ level }) => level === 'warning')
      if (json === true) terminal.out(JSON.stringify({ ok: isWell, checks: reports }))
      else for (const finding of findings) terminal.out(`\n${describe(terminal, finding)}`)
      if (!isWell) throw new Exit(exitCodes.failed)
    })
}

const marks = {
  ok: ['green', 'ok     '],
  skipped: ['dim', '-      '],
  warning: ['yellow', 'warning'],
  error: ['red', 'error  '],
} as const

function summarise(terminal: Terminal, { check, about, skipped, findings }: CheckReport): string {
  const isError = findings.some(({ level }) => level === 'error')
  const state = skipped !== null ? 'skipped' : isError ? 'error' : findings.length > 0 ? 'warning' : 'ok'
  const [style, mark] = marks[state]
  const what = skipped !== null ? `skipped, because ${skipped}` : findings.map(({ name }) => name).join(', ') || about
  return `${paint(terminal, style, mark)}  ${check.padEnd(width)}  ${what}`
}

const width = Math.max(...checks.map(({ name }) => name.length))

function describe(terminal: Terminal, { level, check, name, what, why, mend }: Finding): string {
  const [style] = marks[level]
  return [`${paint(terminal, style, `${level} ${check}/${name}`)}: ${what}`, `  why   ${why}`, `  mend  ${mend}`].join(
    '\n',
  )
}
