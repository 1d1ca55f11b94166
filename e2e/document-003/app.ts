import express from 'express'

/** The reader's own app, which the printed program adds its route to. */
export const app = express()
app.use(express.json())
