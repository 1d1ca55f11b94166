import { runCli } from './program.ts'

const stopped = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort())
// Whoever reads may have read enough (`| head`).
process.stdout.on('error', () => process.exit(0))

void runCli(process.argv.slice(2), {
  environment: process.env,
  isInteractive:
    process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb',
  columns: process.stdout.columns,
  signal: stopped.signal,
  out: line => process.stdout.write(`${line}\n`),
  note: line => process.stderr.write(`${line}\n`),
}).then(code => {
  process.exitCode = code
})
