import { runCli } from './run-cli.ts'

// Exit code only: the process ends by itself once nothing is open, which proves that close() closes everything.
process.exitCode = await runCli(process.argv.slice(2), {
  print: line => console.log(line),
  printError: line => console.error(line),
  stopRequested: () =>
    new Promise(resolve => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
    }),
})
