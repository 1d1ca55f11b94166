import type { TriggerFixture } from './fixture.ts'
import { paymentFixtures } from './payment-fixtures.ts'
import { resultFixtures } from './result-fixtures.ts'

/** Everything that `mpesa-stk trigger` can post. */
export const triggerFixtures: readonly TriggerFixture[] = [...paymentFixtures, ...resultFixtures]
