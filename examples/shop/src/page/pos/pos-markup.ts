import { brand, favicon } from '../brand.ts'
import { type PosWord, posWords } from './pos-words.ts'

/** English from the start, so that nothing jumps; the script puts the other language in. */
const say = (word: PosWord, tag = 'span', more = '') =>
  `<${tag} data-word="${word}"${more}>${posWords.en[word]}</${tag}>`

/** Each state has a shape of its own, for those who do not tell the colours apart. */
const shapes = `<svg width="0" height="0" aria-hidden="true" focusable="false"><defs>
<symbol id="shape-paid" viewBox="0 0 48 48"><circle cx="24" cy="24" r="22" fill="currentColor"/><path d="M13 25l8 8 15-17" fill="none" stroke="var(--on)" stroke-width="6" stroke-linecap="round" stroke-linejoin="round"/></symbol>
<symbol id="shape-till" viewBox="0 0 48 48"><circle cx="24" cy="24" r="20" fill="none" stroke="currentColor" stroke-width="5"/><path d="M14 25l7 7 13-15" fill="none" stroke="currentColor" stroke-width="6" stroke-linecap="round" stroke-linejoin="round"/></symbol>
<symbol id="shape-waiting" viewBox="0 0 48 48"><path d="M11 5h26M11 43h26M14 6v8l10 10 10-10V6M14 42v-8l10-10 10 10v8" fill="none" stroke="currentColor" stroke-width="5" stroke-linecap="round" stroke-linejoin="round"/></symbol>
<symbol id="shape-checking" viewBox="0 0 48 48"><path d="M24 3l21 21-21 21L3 24z" fill="none" stroke="currentColor" stroke-width="5" stroke-linejoin="round"/><g fill="currentColor"><circle cx="15" cy="24" r="3.4"/><circle cx="24" cy="24" r="3.4"/><circle cx="33" cy="24" r="3.4"/></g></symbol>
<symbol id="shape-failed" viewBox="0 0 48 48"><path d="M15 2h18l13 13v18L33 46H15L2 33V15z" fill="currentColor"/><path d="M16 16l16 16M32 16L16 32" stroke="var(--on)" stroke-width="6" stroke-linecap="round"/></symbol>
<symbol id="shape-none" viewBox="0 0 48 48"><path d="M24 4l22 39H2z" fill="none" stroke="currentColor" stroke-width="5" stroke-linejoin="round"/><path d="M24 18v10" stroke="currentColor" stroke-width="5" stroke-linecap="round"/><circle cx="24" cy="35" r="3.2" fill="currentColor"/></symbol>
</defs></svg>`

const filter = (group: string, word: PosWord, shape: string, isPicked = false) =>
  `<button type="button" data-group="${group}" aria-pressed="${isPicked}">${shape && `<svg aria-hidden="true" focusable="false"><use href="#shape-${shape}"></use></svg>`}${say(word)} <b id="count-${group}">0</b></button>`

/** The till: places and labels. The scripts fill them, with text nodes only. */
export const posMarkup = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Till · Duka Jirani</title>
<link rel="icon" href="${favicon}">
<link rel="stylesheet" href="/shop/base.css">
<link rel="stylesheet" href="/pos/style.css">
</head>
<body>
${shapes}
<header>
  <div class="bar">
    ${brand}
    <h1 class="shop"><span class="firm">Duka Jirani · </span>${say('till')}</h1>
    <button type="button" class="sound" id="sound" aria-pressed="false"><svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="M4 9v6h4l5 4V5L8 9z" fill="currentColor"/><path class="waves" d="M16 8.5a5 5 0 0 1 0 7M18.5 6a8.5 8.5 0 0 1 0 12" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"/><path class="mute" d="M16 9l6 6M22 9l-6 6" stroke="currentColor" stroke-width="2" stroke-linecap="round"/></svg><span id="sound-word" data-word="soundOff">${posWords.en.soundOff}</span></button>
    <a class="leave" href="/">${say('shop')}</a>
    <div class="languages" role="group" aria-label="Language / Lugha">
      <button type="button" data-language="en" lang="en" aria-pressed="true" aria-label="English">EN</button>
      <button type="button" data-language="sw" lang="sw" aria-pressed="false" aria-label="Kiswahili">SW</button>
    </div>
  </div>
</header>
<div class="line" id="line" data-line="connecting">
  <i class="lamp" aria-hidden="true"></i>
  <div class="line-words" role="status" aria-live="polite" aria-atomic="true"><b id="line-title">${posWords.en.connecting}</b> <span id="line-text">${posWords.en.connectingText}</span></div>
  <span class="heard" id="heard"></span>
  <div class="line-actions">
    <a id="line-list" href="/#counter" hidden data-word="list">${posWords.en.list}</a>
    <button type="button" id="line-reload" hidden data-word="reload">${posWords.en.reload}</button>
    <button type="button" id="line-seen" hidden data-word="seen">${posWords.en.seen}</button>
  </div>
</div>
<main>
  <section class="side">
    <div class="newest" id="newest" data-state="">
      <p class="newest-label">${say('newest')} <time id="newest-time"></time></p>
      <p class="newest-amount" id="newest-amount"></p>
      <p class="newest-state"><svg aria-hidden="true" focusable="false"><use id="newest-shape" href="#shape-waiting"></use></svg><b id="newest-state"></b></p>
      <p class="newest-receipt" id="newest-receipt"></p>
      <p class="newest-more" id="newest-more"></p>
    </div>
    <div class="total">
      <span>${say('paidToday')}</span>
      <b id="total">KES 0</b>
    </div>
  </section>
  <section class="list">
    <div class="filters" role="group" aria-label="Which payments" id="filters">
      ${filter('all', 'all', '', true)}
      ${filter('paid', 'paid', 'paid')}
      ${filter('waiting', 'waiting', 'waiting')}
      ${filter('unsure', 'unsure', 'none')}
      ${filter('failed', 'failed', 'failed')}
    </div>
    <div class="empty" id="empty"><b id="empty-title"></b><p id="empty-text"></p></div>
    <ol id="rows"></ol>
    <p class="older" id="older" hidden></p>
  </section>
</main>
<p class="sr" id="announcer" role="log" aria-live="polite"></p>
<script type="module" src="/pos/till.js"></script>
</body>
</html>
`
