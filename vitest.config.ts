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
    testTimeout: 20_000,
  },
})
