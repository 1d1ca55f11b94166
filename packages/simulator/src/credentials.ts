import { z } from 'zod'

const credentialSchema = z.strictObject({
  consumerKey: z.string().min(1),
  consumerSecret: z.string().min(1),
  shortCode: z.union([z.string(), z.number().int().transform(String)]).optional(),
  passkey: z.string().optional(),
})

/** The shape of a `--credentials` file: a list. Whatever is not in it fails as it would at Safaricom. */
export const credentialsSchema = z.array(credentialSchema).min(1).max(1_000)

/** One app that the simulator accepts. Without `shortCode` or `passkey` that part is not checked. */
export interface Credential {
  readonly consumerKey: string
  readonly consumerSecret: string
  readonly shortCode?: string | undefined
  readonly passkey?: string | undefined
}

export type PasswordVerdict = 'accepted' | 'unknown-merchant' | 'wrong-credentials'

/** Decides who may come in. Without a list everybody may. */
export interface CredentialCheck {
  acceptsConsumer(consumerKey: string, consumerSecret: string): boolean
  /** Judges the `Password` of a push or query: base64(shortcode + passkey + timestamp). */
  judgePassword(push: {
    readonly consumerKey: string
    readonly shortCode: string
    readonly password: string
    readonly timestamp: string
  }): PasswordVerdict
}

export function createCredentialCheck(
  list: readonly Credential[] | undefined,
  mode: 'sandbox' | 'strict',
): CredentialCheck {
  return {
    acceptsConsumer: (consumerKey, consumerSecret) =>
      list === undefined ||
      list.some(entry => entry.consumerKey === consumerKey && entry.consumerSecret === consumerSecret),
    judgePassword({ consumerKey, shortCode, password, timestamp }) {
      if (list === undefined && mode === 'sandbox') return 'accepted'
      const clear = Buffer.from(password, 'base64').toString('utf8')
      const passkeyLength = clear.length - shortCode.length - timestamp.length
      const fitsTogether = clear.startsWith(shortCode) && clear.endsWith(timestamp) && passkeyLength > 0
      if (list === undefined) return fitsTogether ? 'accepted' : 'wrong-credentials'
      const entries = list.filter(entry => entry.consumerKey === consumerKey)
      const entry = entries.find(candidate => candidate.shortCode === undefined || candidate.shortCode === shortCode)
      if (!entry) return 'unknown-merchant'
      const passkeyFits = entry.passkey === undefined || clear === shortCode + entry.passkey + timestamp
      return fitsTogether && passkeyFits ? 'accepted' : 'wrong-credentials'
    },
  }
}
