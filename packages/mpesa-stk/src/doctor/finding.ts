import { maskPersonalData } from '../core/payment/msisdn.ts'

/** An error costs money or will, and makes `mpesa-stk doctor` fail; a warning is to be looked at. */
export type FindingLevel = 'error' | 'warning'

/** What is wrong with a set-up, why it costs money, and the command or setting that mends it. */
export type Finding = {
  readonly check: string
  /** Stable, for programs; docs/doctor.md has a row of each. */
  readonly name: string
  readonly level: FindingLevel
  readonly what: string
  readonly why: string
  readonly mend: string
}

/** The words of a finding. `{name}` in them stands for a value that was found: never a secret, never a number of a person. */
export type FindingText = Pick<Finding, 'level' | 'what' | 'why' | 'mend'>

export type FindingTexts = Readonly<Record<string, FindingText>>

type Values = Readonly<Record<string, string | number>>

/** Makes findings of a check from the table of its texts. */
export function findingsOf<Name extends string>(
  check: string,
  texts: Readonly<Record<Name, FindingText>>,
): (name: Name, values?: Values) => Finding {
  return (name, values = {}) => {
    const { level, what, why, mend } = texts[name]
    const fill = (text: string): string =>
      maskPersonalData(text.replace(/\{(\w+)\}/g, (whole, key: string) => String(values[key] ?? whole)))
    return { check, name, level, what: fill(what), why: fill(why), mend: fill(mend) }
  }
}
