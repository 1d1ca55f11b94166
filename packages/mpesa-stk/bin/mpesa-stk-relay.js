#!/usr/bin/env node
import '../dist/cli/relay.mjs'
