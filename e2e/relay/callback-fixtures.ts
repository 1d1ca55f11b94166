import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../fixtures/daraja/', import.meta.url))

/** Every body that Safaricom was seen to post to a hook, as it was written. */
export function readFixtures(): readonly { readonly name: string; readonly body: Buffer }[] {
  return ['stk-callback', 'c2b', 'result', 'ratiba', 'b2b-express'].flatMap(folder =>
    readdirSync(join(root, folder)).map(name => ({ name, body: readFileSync(join(root, folder, name)) })),
  )
}
