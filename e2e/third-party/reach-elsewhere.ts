import https from 'node:https'
import net from 'node:net'

// What a client that strays must meet: a refusal, before a single byte leaves.
const refusals = [
  () => https.get('https://example.com/'),
  () => net.connect(443, 'example.com'),
  () => net.connect({ host: '127.0.0.1', port: 1 }),
].map(attempt => {
  try {
    attempt()
    return 'connected'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
})
const fetched = await fetch('http://example.com/').then(
  () => 'connected',
  () => 'refused',
)
console.log(JSON.stringify([...refusals, fetched]))
