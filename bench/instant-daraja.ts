import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A Daraja that accepts every push at once and calls nobody back, so that a bench measures us and not the simulator. */
export async function startDaraja(): Promise<{ readonly url: string; close(): void }> {
  let pushes = 0
  const server = createServer((request, response) => {
    request.resume()
    const answer = request.url?.startsWith('/oauth')
      ? { access_token: 'token', expires_in: '3599' }
      : { MerchantRequestID: `m-${++pushes}`, CheckoutRequestID: `ws_CO_${pushes}`, ResponseCode: '0' }
    response.end(JSON.stringify(answer))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
