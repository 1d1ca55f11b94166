import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { connectPayments, type StorageLike } from 'mpesa-stk-client'
import { WebSocket } from 'ws'

// A process that follows a stream, keeps its cursor in a file, and may die in the middle of handling an event.
const { RELAY_URL: url = '', TOKEN: token = '', CURSORS: file = '', DIE_AT: dieAt = '' } = process.env

const read = (): Record<string, string> => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {})
const storage: StorageLike = {
  getItem: key => read()[key] ?? null,
  setItem: (key, value) => writeFileSync(file, JSON.stringify({ ...read(), [key]: value })),
  removeItem(key) {
    const { [key]: _, ...rest } = read()
    writeFileSync(file, JSON.stringify(rest))
  },
}

const client = connectPayments({ url, webSocket: WebSocket as never, storage, getToken: async () => token })
client.subscribe('source', {
  ack: true,
  onEvent({ MpesaReceiptNumber: receipt = '' }) {
    console.log(`received ${receipt}`)
    if (receipt === dieAt) process.kill(process.pid, 'SIGKILL')
    console.log(`handled ${receipt}`)
  },
  onState: ({ state }) => console.log(`stream ${state}`),
})
