import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { readRawBody } from './raw-body.ts'

test('a body that was cut off before anybody listened is an error, and not waited for', async () => {
  const incoming = new IncomingMessage(new Socket())
  incoming.destroy()
  await new Promise(resolve => incoming.on('close', resolve))
  await expect(readRawBody(new Request('http://relay.example/'), incoming)).rejects.toThrow('cut off')
})
