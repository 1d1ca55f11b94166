import { styleText } from 'node:util'

/** Where a command is run: what it reads, and whom it tells. */
export type Terminal = {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** A person looks on: colours, progress bars and questions are for him alone. */
  readonly isInteractive: boolean
  /** Ctrl-C and SIGTERM: whatever goes on for long ends. */
  readonly signal: AbortSignal
  /** A line of what was asked for. */
  readonly out: (line: string) => void
  /** A line beside it: progress, warnings, errors. */
  readonly note: (line: string) => void
}

/** What every command takes. */
export type CommonOptions = {
  /** One JSON value on one line, or one line an item where there is no end of them. */
  readonly json?: true
  readonly relay?: string
  readonly tokenFile?: string
}

type Style = Parameters<typeof styleText>[0]

/** Colours on a terminal, and plain text everywhere else. */
export function paint({ isInteractive }: Terminal, style: Style, text: string): string {
  return isInteractive ? styleText(style, text, { validateStream: false }) : text
}

/** What was asked for, for a program or for a person. */
export function print(terminal: Terminal, { json }: CommonOptions, value: unknown, text: () => string): void {
  terminal.out(json === true ? JSON.stringify(value) : text())
}
