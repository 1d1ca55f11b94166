#!/usr/bin/env node
import '../dist/cli/mpesa-stk.mjs'
