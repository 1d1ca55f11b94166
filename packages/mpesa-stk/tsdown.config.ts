import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    server: 'src/server.ts',
    'adapters/memory': 'src/adapters/memory.ts',
    'adapters/postgres': 'src/adapters/postgres.ts',
    'adapters/sqlite': 'src/adapters/sqlite.ts',
    testing: 'src/testing.ts',
    'cli/mpesa-stk': 'src/cli/mpesa-stk.ts',
    'cli/relay': 'src/cli/relay.ts',
  },
  format: ['esm', 'cjs'],
  platform: 'node',
  target: 'node20.19',
  dts: true,
  // Without a chunk of its own, rolldown's interop helper leaks into the exports of a CJS entry.
  outputOptions: { codeSplitting: { groups: [{ name: 'runtime', test: /rolldown.runtime/ }] } },
})
