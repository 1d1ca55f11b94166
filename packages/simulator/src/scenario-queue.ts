import type { Scenario } from './scenario.ts'
import { SimulatorError } from './simulator-error.ts'

/** What a call shows of itself to find its scenario. */
export interface ScenarioSubject {
  readonly api: Scenario['api']
  readonly msisdn?: string
  readonly amount?: number
}

/** Scenarios waiting for their calls: the first that matches, in the order of adding, serves. */
export interface ScenarioQueue {
  add(scenario: Scenario): void
  /** Takes one use of the first match. */
  take(subject: ScenarioSubject): Scenario | undefined
  list(): readonly QueuedScenario[]
  clear(): void
}

export interface QueuedScenario {
  readonly scenario: Scenario
  /** Calls it will still serve. */
  readonly remaining: number | 'always'
}

const capacity = 1_000

export function createScenarioQueue(): ScenarioQueue {
  const queue: { scenario: Scenario; remaining: number }[] = []
  return {
    add(scenario) {
      if (queue.length >= capacity)
        throw new SimulatorError(
          'SIMULATOR_TOO_MANY_SCENARIOS',
          `${capacity} scenarios are waiting already; DELETE /__sim/scenarios or POST /__sim/reset clears them`,
        )
      const times = scenario.times ?? 1
      queue.push({ scenario, remaining: times === 'always' ? Number.POSITIVE_INFINITY : times })
    },
    take({ api, msisdn, amount }) {
      const index = queue.findIndex(
        ({ scenario }) =>
          scenario.api === api &&
          (scenario.msisdn === undefined || scenario.msisdn === msisdn) &&
          (scenario.amount === undefined || scenario.amount === amount),
      )
      const entry = queue[index]
      if (!entry) return undefined
      entry.remaining--
      if (entry.remaining <= 0) queue.splice(index, 1)
      return entry.scenario
    },
    list: () =>
      queue.map(({ scenario, remaining }) => ({
        scenario,
        remaining: remaining === Number.POSITIVE_INFINITY ? 'always' : remaining,
      })),
    clear() {
      queue.length = 0
    },
  }
}
