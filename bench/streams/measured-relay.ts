import { tellMemory } from './tell-memory.ts'

// The relay as it is, that tells of its memory.
tellMemory()
await import('../../packages/mpesa-stk/src/cli/relay.ts')
