import { leaveNote, openLife, order, type World } from './mortal.ts'

// Lives one payment from its initiation to its handler, and is killed at the step whose number it is given.
const [world = '{}', last = '0', note = ''] = process.argv.slice(2)

let step = 0
async function atStep(label: string): Promise<void> {
  step++
  if (step !== Number(last)) return
  leaveNote(note, label)
  process.kill(process.pid, 'SIGKILL')
  // The signal is delivered in a moment: nothing more may happen until then.
  await new Promise(() => {})
}

const { fetch } = globalThis
globalThis.fetch = async (input, init) => {
  const label = `HTTP ${init?.method ?? 'GET'} ${new URL(input instanceof Request ? input.url : input).pathname}`
  await atStep(`before ${label}`)
  const response = await fetch(input, init)
  await atStep(`after ${label}`)
  return response
}

const life = await openLife(JSON.parse(world) as World, { atStep })
await life.mpesa.start()
await life.mpesa.initiatePayment(order)
// With a callback that never comes after a lost answer there is nothing to wait for; the parent ends us then.
await life.handled
await life.close()
