import { Hono } from 'hono'
import { ShopError } from '../shop-error.ts'
import { baseStyle } from './base-style.ts'
import { checkoutScript } from './checkout-script.ts'
import { counterScript } from './counter-script.ts'
import { elementsScript } from './elements-script.ts'
import { createLanguageScript } from './language-script.ts'
import { bundleLive } from './live/bundle-live.ts'
import { markup } from './markup.ts'
import { paymentScript } from './payment-script.ts'
import { lineScript } from './pos/line-script.ts'
import { posMarkup } from './pos/pos-markup.ts'
import { posStyle } from './pos/pos-style.ts'
import { posWords } from './pos/pos-words.ts'
import { rowsScript } from './pos/rows-script.ts'
import { soundScript } from './pos/sound-script.ts'
import { tillScript } from './pos/till-script.ts'
import { style } from './style.ts'
import { watchScript } from './watch-script.ts'
import { words } from './words.ts'

const html = 'text/html; charset=utf-8'
const css = 'text/css; charset=utf-8'
const javascript = 'text/javascript; charset=utf-8'

const files = {
  '/': [html, markup],
  '/shop/base.css': [css, baseStyle],
  '/shop/style.css': [css, style],
  '/shop/language.js': [javascript, createLanguageScript(words)],
  '/shop/elements.js': [javascript, elementsScript],
  '/shop/watch.js': [javascript, watchScript],
  '/shop/payment.js': [javascript, paymentScript],
  '/shop/counter.js': [javascript, counterScript],
  '/shop/checkout.js': [javascript, checkoutScript],
  '/pos': [html, posMarkup],
  '/pos/style.css': [css, posStyle],
  '/pos/language.js': [javascript, createLanguageScript(posWords)],
  '/pos/line.js': [javascript, lineScript],
  '/pos/rows.js': [javascript, rowsScript],
  '/pos/sound.js': [javascript, soundScript],
  '/pos/till.js': [javascript, tillScript],
} as const satisfies Record<string, readonly [type: string, text: string]>

/** The checkout at `/` and the till at `/pos`, from files of their own, so that nothing on them has to be inline. */
export function createPages(): Hono {
  const pages = new Hono()
  const as = (type: string) => ({ 'content-type': type, 'cache-control': 'no-cache' })
  for (const [path, [type, text]] of Object.entries(files))
    pages.get(path, context => context.body(text, 200, as(type)))
  let bundled: ReturnType<typeof bundleLive> | undefined
  pages.get('/live/:name', async context => {
    bundled ??= bundleLive().catch(error => {
      bundled = undefined
      throw error
    })
    const text = (await bundled).get(context.req.param('name'))
    if (text === undefined) throw new ShopError('SHOP_NOT_FOUND', 'The shop has no such page.')
    return context.body(text, 200, as(javascript))
  })
  return pages
}
