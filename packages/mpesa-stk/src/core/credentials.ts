/** What Daraja knows a merchant by. All three are secrets. */
export type Credentials = {
  /** Of the Daraja app. Sandbox and production have keys of their own. */
  readonly consumerKey: string
  readonly consumerSecret: string
  /** The STK push passkey of the shortcode, from the Daraja portal. */
  readonly passKey: string
}

/**
 * Gets the credentials from wherever they are kept: a secret manager, a mounted file, the environment. Asked once, and
 * again when Daraja says that they are wrong, so that a rotation needs no restart. May throw: then nothing is sent.
 */
export type CredentialProvider = () => Credentials | Promise<Credentials>
