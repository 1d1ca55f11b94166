import { styleText } from 'node:util'

/** Where a command is run: what it reads, and whom it tells. */
export type Terminal = {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** A person looks on: colours, progress bars and questions are for him alone. */
  readonly isInteractive: boolean
  /** How many characters a line of it has; none where there is no terminal. */
  readonly columns?: number | undefined
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

/** Lines that a terminal does not break; whole where there is none. */
export function clip({ columns }: Terminal, text: string): string {
  if (columns === undefined) return text
  const clipped = text.split('\n').map(line => (line.length <= columns ? line : `${line.slice(0, columns - 1)}…`))
  return clipped.join('\n')
}

/** What somebody else wrote, without what would move the cursor or turn a line around. */
export function harmless(text: string): string {
  return text.replace(/[^\P{C}\n\t]/gu, '·')
}

/** What was asked for, for a program or for a person. */
export function print(terminal: Terminal, { json }: CommonOptions, value: unknown, text: () => string): void {
  terminal.out(json === true ? JSON.stringify(value) : text())
}
