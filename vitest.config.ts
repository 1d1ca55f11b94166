import { defineConfig } from 'vitest/config'

export default defineConfig({
  ssr: { resolve: { conditions: ['@mpesa-stk/source', 'node', 'import', 'default'], externalConditions: ['@mpesa-stk/source'] } },
  resolve: { conditions: ['@mpesa-stk/source'] },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'examples/*/src/**/*.test.ts', 'scripts/**/*.test.ts', 'e2e/**/*.test.ts'],
    reporters: ['default', './scripts/plain-summary-reporter.ts'],
    testTimeout: 20_000,
  },
})
