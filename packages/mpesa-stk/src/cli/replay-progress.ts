import { progress } from '@clack/prompts'
import type { CommonOptions, Terminal } from './terminal.ts'

/** How far something has come: a bar for a person, and a line at each tenth for everybody else. */
export type Progress = {
  /** So many are done of all. */
  tell(done: number): void
  /** Nothing more is to come: what follows takes its place. */
  end(): void
}

/** `ifLeft` is said when Ctrl-C ends it first. */
export function createProgress(
  terminal: Terminal,
  { json }: CommonOptions,
  { total, what, ifLeft }: { readonly total: number; readonly what: string; readonly ifLeft: string },
): Progress {
  const isBar = terminal.isInteractive && process.stderr.isTTY && json !== true
  return isBar ? createBar({ total, what, ifLeft }) : createLines(terminal, { total, what, ifLeft })
}

type Wanted = { readonly total: number; readonly what: string; readonly ifLeft: string }

/** It takes Ctrl-C for itself: then the process ends with what it was told to say. */
function createBar({ total, what, ifLeft }: Wanted): Progress {
  const bar = progress({
    max: Math.max(total, 1),
    size: 30,
    output: process.stderr,
    cancelMessage: ifLeft,
    withGuide: false,
  })
  let told = 0
  bar.start(`0 of ${total} ${what}`)
  return {
    tell(done) {
      if (done > told) bar.advance(done - told, `${done} of ${total} ${what}`)
      told = done
    },
    end: () => bar.clear(),
  }
}

function createLines({ note, signal }: Terminal, { total, what, ifLeft }: Wanted): Progress {
  let tenth = -1
  const left = (): void => note(ifLeft)
  signal.addEventListener('abort', left)
  return {
    tell(done) {
      const now = total === 0 ? 10 : Math.floor((done * 10) / total)
      if (now > tenth) note(`${done} of ${total} ${what}`)
      tenth = Math.max(tenth, now)
    },
    end: () => signal.removeEventListener('abort', left),
  }
}
