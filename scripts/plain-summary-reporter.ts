import type { Reporter, SerializedError, TestCase, TestModule, TestRunEndReason, Vitest } from 'vitest/node'
import { findServices, knownServices } from './services/find.ts'

type Service = (typeof knownServices)[number]

/**
 * Ends the output of a test run with one plain line, `N passed, N failed`, that people and programs can rely on, and
 * says before it which tests failed, and what was left out because a service is absent.
 *
 * Everything that makes the run fail counts as failed, not only tests: an error outside of any test, a file that does
 * not load, with `REQUIRE_ALL=1` an absent service, and a run in which no test ran. So `0 failed` means exit code 0.
 */
export default class PlainSummaryReporter implements Reporter {
  readonly #counts = { passed: 0, failed: 0, skipped: 0 }
  readonly #problems: string[] = []
  #absent: readonly Service[] = []
  #search: Promise<void> = Promise.resolve()
  #ended = false

  onInit(vitest: Vitest): void {
    this.#search = findAbsent().then(absent => {
      this.#absent = absent
    })
    // At the exit of the process and no earlier: vitest prints its own summary, the coverage table and complaints
    // about what will not close after the last hook that a reporter gets.
    if (!vitest.config.watch) process.once('exit', exitCode => this.#finish(exitCode))
  }

  async onTestRunEnd(
    modules: readonly TestModule[],
    unhandled: readonly SerializedError[],
    reason: TestRunEndReason,
  ): Promise<void> {
    await this.#search
    this.#ended = true
    for (const module of modules) this.#count(module)
    if (unhandled.length > 0) this.#fail(`${unhandled.length} unhandled error(s), see above`, unhandled.length)
    if (reason === 'interrupted') this.#fail('the run was interrupted')
  }

  #count(module: TestModule): void {
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      // Pending here: its worker died or the run was cut short, so nobody knows.
      this.#counts[state === 'pending' ? 'failed' : state] += 1
      if (state === 'failed' || state === 'pending') this.#problems.push(nameFailure(module, test))
    }
    // A file that does not load, a hook around a suite: they fail without a failing test.
    const broken = [module, ...module.children.allSuites()].filter(suite => suite.errors().length > 0)
    this.#counts.failed += broken.length
  }

  #finish(exitCode: number): void {
    const { passed, skipped } = this.#counts
    if (!this.#ended) this.#fail('the run broke off before its end')
    else if (passed + this.#counts.failed === 0) this.#fail('no test ran')
    if (process.env['REQUIRE_ALL'] === '1') {
      for (const service of this.#absent) this.#fail(`REQUIRE_ALL=1, but ${service.name} is absent`)
    }
    if (exitCode !== 0 && this.#counts.failed === 0) this.#fail(`vitest ended with exit code ${exitCode}, see above`)
    if (this.#counts.failed > 0) process.exitCode = exitCode || 1
    const leftOut = this.#absent.map(service => `left out: ${service.name} (${service.command})`)
    const closing = `${passed} passed, ${this.#counts.failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
    // The first newline: whoever printed last may have left its line open.
    process.stdout.write(`\n${[...this.#problems, ...leftOut, closing].join('\n')}\n`)
  }

  #fail(problem: string, count = 1): void {
    this.#problems.push(`failed: ${problem}`)
    this.#counts.failed += count
  }
}

/** Which test it was and the first line of why, for whoever sees no more than the end of a long log. */
function nameFailure(module: TestModule, test: TestCase): string {
  const [error] = test.result().errors ?? []
  const [why = ''] = (error?.message ?? 'nobody knows how it ended').split('\n')
  return `failed: ${module.relativeModuleId} > ${test.fullName}: ${why.slice(0, 300)}`
}

async function findAbsent(): Promise<Service[]> {
  const found = await findServices()
  return knownServices.filter(service => !found[service.key])
}
