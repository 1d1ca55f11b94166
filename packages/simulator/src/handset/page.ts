const favicon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%230b8a3e'/%3E%3Crect x='10' y='5' width='12' height='22' rx='3' fill='%23fff'/%3E%3Crect x='12' y='8' width='8' height='13' rx='1' fill='%230b8a3e'/%3E%3C/svg%3E"

/** The bare page: places and labels. `script.ts` fills it, with text nodes only. */
export const handsetPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Daraja simulator</title>
<link rel="icon" href="${favicon}">
<link rel="stylesheet" href="/__handset/style.css">
</head>
<body>
<header class="bar">
  <div class="brand"><span class="mark" aria-hidden="true"></span><h1>Daraja simulator</h1></div>
  <p class="tagline">No account. No money. Every fault on demand.</p>
  <p class="link" id="link" data-state="connecting"><span class="dot" aria-hidden="true"></span><span id="link-text">Connecting</span></p>
</header>
<main>
  <section class="bench" aria-label="Customer's phone">
    <div class="whose">
      <label for="whose">Whose phone is this?</label>
      <select id="whose"><option value="">Any number that is prompted</option></select>
    </div>
    <div class="phone">
      <div class="screen" id="screen" data-view="idle">
        <div class="status" aria-hidden="true"><span id="clock">00:00</span><span class="island"></span><span class="signal"><i></i><i></i><i></i><i></i><b></b></span></div>
        <div class="view idle" id="view-idle">
          <p class="bigclock" id="bigclock" aria-hidden="true">00:00</p>
          <p class="date" id="date" aria-hidden="true"></p>
          <p class="waiting"><span class="pulse" aria-hidden="true"></span>Waiting for a push</p>
        </div>
        <form class="view prompt" id="view-prompt" aria-labelledby="prompt-title" aria-describedby="prompt-text" autocomplete="off" novalidate hidden>
          <div class="sheet">
            <p class="sheet-title" id="prompt-title">M-PESA</p>
            <p class="sheet-phone" id="prompt-phone"></p>
            <p class="sheet-text" id="prompt-text"></p>
            <label class="sr" for="pin">M-PESA PIN, four digits</label>
            <div class="pinbox">
              <input id="pin" type="password" inputmode="numeric" maxlength="4" autocomplete="off" spellcheck="false" aria-describedby="pin-help">
              <div class="dots" aria-hidden="true"><i></i><i></i><i></i><i></i></div>
            </div>
            <p class="problem" id="problem" role="alert"></p>
            <div class="actions">
              <button type="button" class="plain" id="cancel">Cancel</button>
              <button type="submit" class="go" id="send">Send</button>
            </div>
          </div>
          <div class="keypad" id="keypad" role="group" aria-label="PIN keypad"></div>
        </form>
        <div class="view working" id="view-working" hidden>
          <span class="spinner" aria-hidden="true"></span>
          <p>Processing the payment</p>
        </div>
        <div class="view message" id="view-message" hidden>
          <div class="sms">
            <p class="sms-from"><span class="avatar" aria-hidden="true">M</span><span>M-PESA<small id="sms-time">now</small></span></p>
            <p class="sms-amount" id="sms-amount"></p>
            <p class="sms-text" id="sms-text"></p>
            <p class="sms-code" id="sms-code"></p>
          </div>
          <button type="button" class="plain wide" id="dismiss">Put the phone away</button>
        </div>
      </div>
    </div>
    <p class="hint" id="pin-help">PIN <code>0000</code> is the wrong PIN. Any other four digits pay.</p>
  </section>
  <section class="ledger" aria-labelledby="payments-title">
    <div class="heading"><h2 id="payments-title">Payments</h2><p class="count" id="count"></p><button type="button" class="quiet" id="reset">Start over</button></div>
    <div class="empty" id="empty">
      <p><strong>Nothing has been pushed yet.</strong> Point your app here instead of <code>https://sandbox.safaricom.co.ke</code>; any consumer key, secret, shortcode and passkey will do.</p>
      <pre><code id="base-url"></code></pre>
      <p class="ring"><button type="button" class="go" id="ring">Make the phone ring</button> <span>A trial push of KES 500 to 254 712 345 678, without any app.</span></p>
      <p class="ring-problem" id="ring-problem" role="alert"></p>
    </div>
    <ol class="payments" id="payments" aria-label="Payments, newest first"></ol>
    <details class="numbers" open>
      <summary><h2>Test numbers</h2></summary>
      <p class="note">These decide by themselves. Every other number waits for you on the phone.</p>
      <ul id="numbers" aria-label="Test numbers and what each does"></ul>
    </details>
  </section>
</main>
<p class="sr" id="announce" role="status" aria-live="polite"></p>
<script type="module" src="/__handset/script.js"></script>
</body>
</html>
`
