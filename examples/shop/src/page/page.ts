import { Hono } from 'hono'
import { checkoutScript } from './checkout-script.ts'
import { counterScript } from './counter-script.ts'
import { elementsScript } from './elements-script.ts'
import { languageScript } from './language-script.ts'
import { markup } from './markup.ts'
import { paymentScript } from './payment-script.ts'
import { style } from './style.ts'

const html = 'text/html; charset=utf-8'
const css = 'text/css; charset=utf-8'
const javascript = 'text/javascript; charset=utf-8'

const files = {
  '/': [html, markup],
  '/shop/style.css': [css, style],
  '/shop/language.js': [javascript, languageScript],
  '/shop/elements.js': [javascript, elementsScript],
  '/shop/payment.js': [javascript, paymentScript],
  '/shop/counter.js': [javascript, counterScript],
  '/shop/checkout.js': [javascript, checkoutScript],
} as const satisfies Record<string, readonly [type: string, text: string]>

/** The page at `/`, from files of its own, so that nothing on it has to be inline. */
export function createPage(): Hono {
  const page = new Hono()
  for (const [path, [type, text]] of Object.entries(files)) {
    page.get(path, context => context.body(text, 200, { 'content-type': type, 'cache-control': 'no-cache' }))
  }
  return page
}
