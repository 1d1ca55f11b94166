import { z } from '@hono/zod-openapi'

/** An id of ours, or Safaricom's: what is none cannot be found, and a database may refuse to look for it. */
export const idText = z.string().regex(/^[\x21-\x7e]{1,200}$/, 'is no id')

/** What is asked of a list: it goes on after `before`, the id of the last thing that was seen. */
export const page = z.object({
  before: idText.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
})

/** The `before` of the page that follows; null after the last one. */
export function nextOf<Item>(items: readonly Item[], limit: number, idOf: (item: Item) => string): string | null {
  const last = items.at(-1)
  return items.length === limit && last !== undefined ? idOf(last) : null
}
