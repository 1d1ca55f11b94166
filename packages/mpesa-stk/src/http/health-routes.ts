import type { Hono } from 'hono'
import { describeError } from '../core/errors.ts'
import type { Relay } from '../relay/relay.ts'
import type { RelayEnv } from './auth.ts'
import type { RelayMetrics } from './metrics.ts'

/** Whether the process lives, whether it takes callbacks, and its numbers. */
export function addHealthRoutes(app: Hono<RelayEnv>, relay: Relay, metrics: RelayMetrics): void {
  app.get('/livez', context => context.json({ status: 'alive' }))

  // It is ready while it can keep what comes, be that on the local disk: a balancer that took it away would lose callbacks.
  app.get('/readyz', async context => {
    const store = await relay.storage.countApps().then(
      () => 'up',
      (error: unknown) => `down: ${describeError(error)['code'] ?? 'error'}`,
    )
    const isDiskFull = await relay.intake.isDiskFull()
    const spool = isDiskFull ? 'full' : relay.spool.isEmpty ? 'empty' : 'in use'
    // A relay that was stopped keeps what still comes, for the next start; nobody should send it more.
    const isReady = !relay.isStopped && (store === 'up' || !isDiskFull)
    const status = isReady ? 'ready' : relay.isStopped ? 'stopped' : 'not ready'
    return context.json({ status, store, spool }, isReady ? 200 : 503)
  })

  app.get('/metrics', async context => {
    const { pending, oldestDueAt } = await relay.storage
      .countPending()
      .catch(() => ({ pending: -1, oldestDueAt: null }))
    const appsOverQuota = await relay.log.appsOverQuota().then(
      apps => apps.length,
      () => -1,
    )
    const oldestPendingS = oldestDueAt === null ? 0 : Math.max(0, (Date.now() - oldestDueAt.getTime()) / 1_000)
    metrics.set({
      circuits: relay.deliveries.circuits(),
      spoolFiles: relay.spool.files,
      spoolBytes: relay.spool.bytes,
      queued: relay.intake.queued,
      pending,
      oldestPendingS,
      appsOverQuota,
      streams: relay.streams.count(),
    })
    return context.body(await metrics.text(), 200, { 'content-type': metrics.contentType })
  })
}
