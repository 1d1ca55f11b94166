import { Hono } from 'hono'
import { handsetPage } from './page.ts'
import { handsetScript } from './script.ts'
import { handsetStyle } from './style.ts'

// Nothing on the page comes from anywhere else, and nothing may be made to.
const securityPolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const files = {
  '/': { type: 'text/html; charset=utf-8', text: handsetPage },
  '/__handset/style.css': { type: 'text/css; charset=utf-8', text: handsetStyle },
  '/__handset/script.js': { type: 'text/javascript; charset=utf-8', text: handsetScript },
} as const

/** The page at `/`: a phone that shows prompts as they come, and what became of each payment. */
export function createHandset(): Hono {
  const handset = new Hono()
  for (const [path, { type, text }] of Object.entries(files))
    handset.get(path, context =>
      context.body(text, 200, {
        'content-type': type,
        'content-security-policy': securityPolicy,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      }),
    )
  return handset
}
