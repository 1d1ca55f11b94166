import { formatKes } from '../money.ts'
import { products } from '../products.ts'
import { brand, favicon } from './brand.ts'
import { pictures } from './pictures.ts'
import { type Word, words } from './words.ts'

/** English from the start, so that nothing jumps; the script puts the other language in. */
const say = (word: Word, tag = 'span', more = '') => `<${tag} data-word="${word}"${more}>${words.en[word]}</${tag}>`

const shelf = products
  .map(
    ({ id, en, sw, detail, price }, index) => `
          <label class="product">
            <input type="radio" name="product" value="${id}" data-price="${price}"${index === 1 ? ' checked' : ''}>
            ${pictures[id]}
            <span class="name" data-en="${en}" data-sw="${sw}">${en}</span>
            <span class="detail">${detail}</span>
            <span class="price">${formatKes(price)}</span>
          </label>`,
  )
  .join('')

/** The page: places and labels. The scripts fill them, with text nodes only. */
export const markup = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Duka Jirani</title>
<link rel="icon" href="${favicon}">
<link rel="stylesheet" href="/shop/base.css">
<link rel="stylesheet" href="/shop/style.css">
</head>
<body>
<header>
  <div class="bar">
    ${brand}
    <div class="brand"><p class="shop">Duka Jirani</p>${say('tagline', 'p', ' class="tagline"')}</div>
    <div class="languages" role="group" aria-label="Language / Lugha">
      <button type="button" data-language="en" lang="en" aria-pressed="true" aria-label="English">EN</button>
      <button type="button" data-language="sw" lang="sw" aria-pressed="false" aria-label="Kiswahili">SW</button>
    </div>
  </div>
  <div class="beads" aria-hidden="true"></div>
</header>
<main>
  <section class="card till" aria-labelledby="choose">
    <form id="checkout" novalidate>
      <h1 id="choose" data-word="choose">${words.en.choose}</h1>
      <fieldset>
        <legend class="sr" data-word="choose">${words.en.choose}</legend>
        <div class="shelf">${shelf}
        </div>
        <div class="other">
          <label class="pick"><input type="radio" name="product" value="">${say('other')}</label>
          <div class="field" id="amount-field" hidden>
            <label class="sr" for="amount" data-word="amount">${words.en.amount}</label>
            <span class="kes" aria-hidden="true">KES</span>
            <input id="amount" inputmode="numeric" autocomplete="off" placeholder="500" aria-describedby="amount-hint amount-problem">
          </div>
          ${say('otherHint', 'p', ' class="hint" id="amount-hint" hidden')}
          <p class="problem" id="amount-problem" role="alert"></p>
        </div>
      </fieldset>
      <div class="phone">
        ${say('phone', 'label', ' for="phone"')}
        <input id="phone" type="tel" inputmode="tel" autocomplete="tel" value="0712 345 678" aria-describedby="phone-hint problem" required>
        ${say('phoneHint', 'p', ' class="hint" id="phone-hint"')}
      </div>
      <p class="problem" id="problem" role="alert"></p>
      <div class="tries" role="group" aria-labelledby="try-out">
        <p class="tries-title"><b id="try-out" data-word="tryOut">${words.en.tryOut}</b> ${say('tryOutHint', 'span', ' class="hint"')}</p>
        <div class="chips" id="tries"></div>
        <details class="all"><summary>${say('allNumbers')}</summary><ul id="numbers" lang="en"></ul></details>
      </div>
      <button class="pay" id="pay" type="submit">${say('pay')}<span class="sum" id="sum">KES 1,500</span></button>
      ${say('demo', 'p', ' class="hint demo"')}
    </form>
    <div class="payment" id="payment" hidden>
      <div class="sign" aria-hidden="true"><i></i></div>
      <div role="status" aria-live="polite" aria-atomic="true">
        <h1 id="payment-title" tabindex="-1"></h1>
        <p class="lead" id="payment-lead"></p>
      </div>
      <details class="second" id="payment-other" hidden><summary id="payment-in-other"></summary><p id="payment-second"></p></details>
      <p class="paid"><span id="payment-amount"></span><span class="bought" id="payment-bought"></span></p>
      <dl id="payment-facts"></dl>
      <p class="hint" id="payment-hint"></p>
      <div class="actions" id="payment-actions"></div>
      <p class="payment-line" id="payment-line" role="status" aria-live="polite"></p>
    </div>
  </section>
  <section class="counter" aria-labelledby="counter">
    <div class="counter-top">
      <div>${say('counter', 'h2', ' id="counter"')}${say('counterHint', 'p', ' class="hint"')}</div>
      <div class="counter-links">
        <a class="till-link" href="/pos" target="_blank" rel="noopener">${say('tillLink')}</a>
        <a class="phone-link" id="phone-link" target="_blank" rel="noopener" hidden>${say('phoneLink')}</a>
      </div>
    </div>
    ${say('none', 'p', ' class="none" id="none"')}
    <ol id="payments"></ol>
  </section>
</main>
<script type="module" src="/shop/checkout.js"></script>
</body>
</html>
`
