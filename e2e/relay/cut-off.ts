import { connect, createServer, type Socket } from 'node:net'
import { listen } from './relay-floor.ts'

/** A way to a server that can be cut: then connections break, and new ones are refused. */
export type CutOff = AsyncDisposable & {
  readonly port: number
  cut(): Promise<void>
  mend(): Promise<void>
}

export async function openCutOff(target: { readonly host: string; readonly port: number }): Promise<CutOff> {
  const sockets = new Set<Socket>()
  const open = () =>
    createServer(socket => {
      const onward = connect(target)
      for (const each of [socket, onward]) {
        sockets.add(each)
        each.on('error', () => each.destroy())
        each.on('close', () => {
          sockets.delete(each)
          socket.destroy()
          onward.destroy()
        })
      }
      socket.pipe(onward).pipe(socket)
    })
  let server = open()
  const port = await listen(server as never)
  async function cut(): Promise<void> {
    for (const socket of sockets) socket.destroy()
    if (server.listening) await new Promise(resolve => server.close(resolve))
  }
  return {
    port,
    cut,
    async mend() {
      server = open()
      await listen(server as never, port)
    },
    [Symbol.asyncDispose]: cut,
  }
}
