/** What went wrong, for logs. `code` is the relay's, or one of ours; the client itself goes on as its state says. */
export class PaymentsError extends Error {
  override readonly name = 'PaymentsError'
  readonly code: string

  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
