/** What was asked for did not come in time. It may still happen. */
class DeadlineOver extends Error {
  constructor(ms: number) {
    super(`no answer within ${ms} ms`)
    this.name = 'DeadlineOver'
  }
}

/** What `work` comes to, or `DeadlineOver` after so long: who does not answer is away. */
export function withinDeadline<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new DeadlineOver(ms)), ms)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
