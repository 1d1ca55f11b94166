#!/usr/bin/env node
const root = new URL('.', import.meta.resolve('mpesa-stk/package.json'))
await import(new URL('bin/mpesa-stk-relay.js', root).href)
