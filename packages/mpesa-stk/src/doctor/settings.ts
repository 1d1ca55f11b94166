import { readRelayConfig } from '../cli/relay-config.ts'
import { resolveConfig } from '../core/config.ts'
import { MpesaStkError } from '../core/errors.ts'
import type { Check, Surroundings } from './check.ts'
import { type Finding, type FindingText, findingsOf } from './finding.ts'
import { type LibrarySettings, readLibrarySettings } from './library-settings.ts'

const texts = {
  'library-settings': {
    level: 'error',
    what: '{problem}',
    why: 'the library refuses to start with it, and no payment is asked for',
    mend: 'set MPESA_ENVIRONMENT to sandbox or production, MPESA_BASE_URL to an https address or leave it out, MPESA_AUDIT_KEY to at least 16 characters',
  },
  'relay-settings': {
    level: 'error',
    what: '{problem}',
    why: 'the relay refuses to start with it, and Safaricom’s callbacks find nobody',
    mend: 'set the variable to what the message says; `mpesa-stk relay --help` lists them all',
  },
} as const satisfies Record<string, FindingText>

const find = findingsOf('settings', texts)

/** What the library and the relay would refuse at their start. */
export const settings: Check = {
  name: 'settings',
  about: 'settings that the library and the relay would refuse',
  texts,
  run: async surroundings =>
    judgeSettings({ library: libraryProblem(readLibrarySettings(surroundings)), relay: relayProblem(surroundings) }),
}

function judgeSettings(problems: { readonly library: string | null; readonly relay: string | null }): Finding[] {
  return [
    ...(problems.library === null ? [] : [find('library-settings', { problem: problems.library })]),
    ...(problems.relay === null ? [] : [find('relay-settings', { problem: problems.relay })]),
  ]
}

/** Fields that have a check of their own are taken for good here. */
function libraryProblem(library: LibrarySettings | null): string | null {
  if (library === null) return null
  const { darajaEnvironment, baseUrl, auditKey } = library
  return problemOf(() =>
    resolveConfig({
      ...{ consumerKey: 'key', consumerSecret: 'secret', passKey: 'passkey', shortCode: '174379' },
      callbackUrl: 'https://shop.example/paid',
      // Whatever it is, the configuration says what it must be.
      environment: (darajaEnvironment ?? undefined) as 'sandbox',
      ...(baseUrl !== null && { baseUrl }),
      ...(auditKey !== null && { auditKey }),
    }),
  )
}

const relayProblem = ({ environment }: Surroundings): string | null => problemOf(() => readRelayConfig(environment))

function problemOf(read: () => unknown): string | null {
  try {
    read()
    return null
  } catch (error) {
    if (error instanceof MpesaStkError) return error.message
    throw error
  }
}
