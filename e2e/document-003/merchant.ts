// A merchant's server as people write it from the published description of the relay, to the letter. Ours are only the
// list of what it took, and the exports.
// biome-ignore-all lint/style/noNonNullAssertion: it is how such programs read their environment

import express from 'express'
import { verifySignature } from 'mpesa-stk/server'

const app = express()
app.use(express.json())

/** Whatever it takes for a callback of the relay. */
const taken: unknown[] = []

// @ts-expect-error: as printed, it returns something in one case only, which our compiler options forbid
app.post('/mpesa/callback', (req, res) => {
  const body = JSON.stringify(req.body)
  const sig = req.headers['x-mpesa-signature'] as string
  if (!verifySignature(body, process.env.MPESA_RELAY_SECRET!, sig)) {
    return res.status(401).end()
  }
  res.json({ ResultCode: 0, ResultDesc: 'Success' })
  taken.push(req.body)
})

export { app, taken }
