import type { Signals, SimulatorEvent } from '../signals.ts'
import { SimulatorError } from '../simulator-error.ts'

const mostSubscribers = 64
const mostUnreadFrames = 1_000
const heartbeatMs = 15_000

/** Hands out server-sent events. A reader that falls far behind is cut off; it reconnects and reads the list again. */
export interface EventStreams {
  open(): Response
  closeAll(): void
}

export function createEventStreams(signals: Signals): EventStreams {
  const closers = new Set<() => void>()
  return {
    open() {
      if (closers.size >= mostSubscribers)
        throw new SimulatorError('SIMULATOR_TOO_MANY_SUBSCRIBERS', `${mostSubscribers} streams are open already`)
      let close = () => {}
      const encoder = new TextEncoder()
      const stream = new ReadableStream<Uint8Array>(
        {
          start(controller) {
            const send = (frame: string) => {
              controller.enqueue(encoder.encode(frame))
              if ((controller.desiredSize ?? 0) <= 0) close()
            }
            const stopListening = signals.listen(event => send(toFrame(event)))
            const heartbeat = setInterval(() => send(': still here\n\n'), heartbeatMs)
            let open = true
            close = () => {
              if (!open) return
              open = false
              stopListening()
              clearInterval(heartbeat)
              closers.delete(close)
              controller.close()
            }
            closers.add(close)
            send('retry: 1000\n: connected\n\n')
          },
          cancel: () => close(),
        },
        { highWaterMark: mostUnreadFrames },
      )
      return new Response(stream, {
        headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
      })
    },
    closeAll() {
      for (const close of [...closers]) close()
    },
  }
}

// JSON has no raw line breaks, so one data line holds it.
const toFrame = (event: SimulatorEvent) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
