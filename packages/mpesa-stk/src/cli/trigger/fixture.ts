/** A body that Safaricom posts, under a name to type. */
export type TriggerFixture = {
  readonly name: string
  /** What happened, in a few words. */
  readonly about: string
  /** The file of `fixtures/daraja` that has it, with its source and confidence. */
  readonly from: string
  readonly body: object
}
