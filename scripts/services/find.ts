import { findChromium } from './binaries.ts'
import { probePostgres, probeRedis } from './probe.ts'
import { isSameProcess } from './process-identity.ts'
import { type RunningService, readRegistry, servicesFolder } from './registry.ts'

/** What this machine offers to tests beyond Node. A missing key means: absent, leave those tests out. */
export type Services = {
  postgres?: { url: string }
  redis?: { url: string }
  chromium?: { path: string }
}

/** One row per service: how a person names it and how to get it. */
export const knownServices = [
  { key: 'postgres', name: 'PostgreSQL', variable: 'TEST_DATABASE_URL', command: 'npm run services -- start' },
  { key: 'redis', name: 'Redis', variable: 'TEST_REDIS_URL', command: 'npm run services -- start' },
  { key: 'chromium', name: 'Chromium', variable: 'CHROMIUM_PATH', command: 'npm run services -- install' },
] as const satisfies readonly { key: keyof Services; name: string; variable: string; command: string }[]

/**
 * Finds PostgreSQL, Redis and Chromium.
 *
 * A variable (`TEST_DATABASE_URL`, `TEST_REDIS_URL`, `CHROMIUM_PATH`) decides alone and is not probed: who points at a
 * server that is down wants to see the tests fail, not to see them left out. The word `none` does without. Otherwise
 * what `npm run services` started counts if it really answers, and a Chromium where systems usually keep it.
 */
export async function findServices(env: NodeJS.ProcessEnv = process.env, folder = servicesFolder): Promise<Services> {
  const registry = readRegistry(folder)
  const [postgres, redis] = await Promise.all([
    env['TEST_DATABASE_URL'] || answering(registry.postgres, probePostgres),
    env['TEST_REDIS_URL'] || answering(registry.redis, probeRedis),
  ])
  const chromium = env['CHROMIUM_PATH'] || findChromium({ env })
  return {
    ...(isWanted(postgres) && { postgres: { url: postgres } }),
    ...(isWanted(redis) && { redis: { url: redis } }),
    ...(isWanted(chromium) && { chromium: { path: chromium } }),
  }
}

async function answering(
  service: RunningService | undefined,
  probe: (url: string) => Promise<Error | undefined>,
): Promise<string | undefined> {
  // The recorded port may by now be another program's, for example another checkout's server.
  if (!service || !isSameProcess(service)) return undefined
  return (await probe(service.url)) ? undefined : service.url
}

function isWanted(value: string | undefined): value is string {
  return value !== undefined && value !== 'none'
}
