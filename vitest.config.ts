import { defineConfig } from 'vitest/config'

// Workspaces import each other's source, so a test run needs no build.
// Nothing but these conditions: vitest hands the list to Node as --conditions, and there `import` (or `module`) makes
// require() load ES modules, which breaks CommonJS packages such as pg.
const conditions = ['@mpesa-stk/source', 'node']

export default defineConfig({
  ssr: { resolve: { conditions, externalConditions: conditions } },
  resolve: { conditions },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'examples/*/src/**/*.test.ts', 'scripts/**/*.test.ts', 'e2e/**/*.test.ts'],
    // Every test's log output is searched for phone numbers and secrets.
    setupFiles: ['./scripts/watch-log-output.ts'],
    reporters: ['default', './scripts/plain-summary-reporter.ts'],
    // Limits for what hangs. How long anything takes is the benches' matter: two cores may be busy with much else.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
  },
})
