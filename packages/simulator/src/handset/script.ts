/**
 * The behaviour of the page, as the browser reads it. It only reads and steers through `/__sim`, and puts every value
 * from outside into text nodes: a shortcode or reference is whatever a merchant's program sent.
 */
export const handsetScript = String.raw`
const byId = id => document.getElementById(id)
const payments = new Map()
const rows = new Map()
const mostShown = 50
let following = ''
let shownId = ''
let promptId = ''
let busy = false

const make = (tag, className, text) => {
  const node = document.createElement(tag)
  if (className) node.className = className
  if (text !== undefined) node.textContent = text
  return node
}
const setText = (id, text) => { const node = byId(id); if (node.textContent !== text) node.textContent = text }
const announce = text => setText('announce', text)
const nairobi = options => new Intl.DateTimeFormat('en-GB', { timeZone: 'Africa/Nairobi', ...options })
const clockFormat = nairobi({ hour: '2-digit', minute: '2-digit' })
const timeFormat = nairobi({ hour: '2-digit', minute: '2-digit', second: '2-digit' })
const dateFormat = nairobi({ weekday: 'long', day: 'numeric', month: 'long' })
const money = amount => 'KES ' + amount.toLocaleString('en-KE')
const spaced = msisdn => msisdn.replace(/^(\d{3})(\d{3})(\d{3})(\d{3})$/, '$1 $2 $3 $4')
const payee = payment => payment.transactionType === 'CustomerBuyGoodsOnline' ? 'till ' + payment.partyB : 'paybill ' + payment.shortCode

const states = {
  queued: ['Queued', 'wait'], prompting: ['On the phone', 'live'], processing: ['Processing', 'wait'],
  pending: ['No answer ever', 'wait'], paid: ['Paid', 'good'], failed: ['Failed', 'bad'],
}

function renderPhone() {
  const mine = [...payments.values()].filter(payment => !following || payment.msisdn === following)
  const current = payments.get(promptId)
  const prompts = mine.filter(payment => payment.state === 'prompting')
  const stays = current && prompts.includes(current) && !prompts.some(other => other.msisdn === current.msisdn && other.acceptedAt > current.acceptedAt)
  const prompt = stays ? current : prompts[0]
  const shown = payments.get(shownId)
  const view = prompt ? 'prompt' : shown && shown.state === 'processing' ? 'working' : shown && (shown.state === 'paid' || shown.state === 'failed') ? 'message' : 'idle'
  const before = byId('screen').dataset.view
  byId('screen').dataset.view = view
  for (const name of ['idle', 'prompt', 'working', 'message']) byId('view-' + name).hidden = name !== view
  if (view === 'prompt') showPrompt(prompt)
  else {
    promptId = ''
    if (before === 'prompt' && view === 'message') byId('dismiss').focus({ preventScroll: true })
  }
  if (view === 'message') showMessage(shown)
}

function showPrompt(payment) {
  if (promptId === payment.checkoutRequestId) return
  promptId = payment.checkoutRequestId
  setText('prompt-phone', 'on ' + spaced(payment.msisdn))
  setText('prompt-text', payment.promptText)
  setPin('')
  setText('problem', '')
  announce('Prompt on ' + payment.msisdn + '. ' + payment.promptText)
  // Not while somebody is busy elsewhere on the page.
  const active = document.activeElement
  if (!active || active === document.body || byId('screen').contains(active)) byId('pin').focus({ preventScroll: true })
}

function showMessage(payment) {
  const paid = payment.state === 'paid'
  byId('view-message').firstElementChild.dataset.paid = String(paid)
  setText('sms-amount', money(payment.amount))
  setText('sms-time', clockFormat.format(new Date(payment.settledAt)) + ' on ' + spaced(payment.msisdn))
  setText('sms-text', paid ? 'Confirmed. Paid to ' + payee(payment) + ' for account ' + payment.accountReference + '.' : 'Not paid to ' + payee(payment) + '. ' + payment.resultDesc)
  setText('sms-code', paid ? payment.receipt : 'Result code ' + payment.resultCode)
}

function setPin(text) {
  byId('pin').value = text
  byId('view-prompt').querySelectorAll('.dots i').forEach((dot, index) => dot.classList.toggle('on', index < text.length))
  byId('send').disabled = text.length !== 4 || busy
}

async function answer(action, pin) {
  const payment = payments.get(promptId)
  if (!payment || busy) return
  busy = true
  setPin(byId('pin').value)
  try {
    const response = await fetch('/__sim/phone/' + encodeURIComponent(payment.msisdn) + '/respond', {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(pin ? { action, pin } : { action }),
    })
    const body = await response.json()
    if (!response.ok) throw new Error(body.error.message)
    shownId = body.transaction.checkoutRequestId
    // The event of the result may have come before this answer: it knows better.
    if (payments.get(shownId)?.state === 'prompting') payments.set(shownId, body.transaction)
    announce(action === 'cancel' ? 'Cancelled' : 'PIN sent')
  } catch (error) {
    setText('problem', error.message)
  } finally {
    busy = false
    setPin('')
    renderPhone()
  }
}

// A whole payment without a merchant: the page asks for a token and pushes, as a merchant's program would.
async function ring() {
  const must = async response => {
    if (!response.ok) throw new Error('The simulator refused the trial push (HTTP ' + response.status + '). ' + (await response.text()))
    return response.json()
  }
  const oauth = '/oauth/v1/generate?grant_type=client_credentials'
  const { access_token: token } = await must(await fetch(oauth, { headers: { authorization: 'Basic ' + btoa('handset-page:trial') } }))
  const stamp = new Date(Date.now() + 3 * 3600000).toISOString().replace(/\D/g, '').slice(0, 14)
  const msisdn = '254712345678'
  await must(await fetch('/mpesa/stkpush/v1/processrequest', {
    method: 'POST',
    headers: { authorization: 'Bearer ' + token, 'content-type': 'application/json' },
    body: JSON.stringify({
      BusinessShortCode: '174379', Password: btoa('174379trial' + stamp), Timestamp: stamp, TransactionType: 'CustomerPayBillOnline',
      Amount: '500', PartyA: msisdn, PartyB: '174379', PhoneNumber: msisdn, CallBackURL: location.origin + '/__sim/callback-sink',
      AccountReference: 'TRIAL', TransactionDesc: 'Trial push',
    }),
  }))
}

function attemptRow(attempt, copies) {
  const row = make('li', 'attempt')
  const tone = attempt.status === 'acknowledged' ? 'good' : 'bad'
  const label = copies > 1 ? 'Callback, copy ' + attempt.copy : 'Callback'
  row.append(make('b', '', attempt.attempt > 1 ? label + ', try ' + attempt.attempt : label))
  const code = make('span', 'code', attempt.httpStatus === undefined ? 'no answer' : 'HTTP ' + attempt.httpStatus)
  code.dataset.tone = tone
  row.append(code, make('span', '', attempt.error ?? attempt.status))
  row.append(make('span', 'took', timeFormat.format(new Date(attempt.startedAt)) + ', ' + attempt.durationMs + ' ms'))
  return row
}

function noteRow(label, text, tone) {
  const row = make('li', 'attempt')
  row.append(make('b', '', label))
  const code = make('span', 'code', text)
  code.dataset.tone = tone
  row.append(code)
  return row
}

function renderPayment(payment) {
  const known = rows.get(payment.checkoutRequestId)
  const row = make('li', known ? 'payment' : 'payment fresh')
  const [label, tone] = states[payment.state]
  const top = make('div', 'top')
  const chip = make('span', 'chip', payment.state === 'failed' ? 'Failed ' + payment.resultCode : label)
  chip.dataset.tone = tone
  top.append(make('span', 'amount', money(payment.amount)), chip, make('span', 'when', timeFormat.format(new Date(payment.acceptedAt))))
  row.append(top)
  row.append(make('p', 'facts', spaced(payment.msisdn) + ' to ' + payee(payment) + ', account ' + payment.accountReference))
  if (payment.receipt) row.append(make('p', 'facts', 'Receipt ' + payment.receipt))
  else if (payment.resultDesc) row.append(make('p', 'facts', payment.resultDesc))
  row.append(make('p', 'ids mono', payment.checkoutRequestId))
  const list = make('ul', 'attempts')
  if (payment.acknowledgement === 'lost') list.append(noteRow('Answer to the push', 'lost on the way', 'bad'))
  if (payment.acknowledgement === 'error') list.append(noteRow('Answer to the push', 'an error, although it was queued', 'bad'))
  const copies = Math.max(0, ...payment.callbackAttempts.map(attempt => attempt.copy))
  for (const attempt of payment.callbackAttempts) list.append(attemptRow(attempt, copies))
  if (payment.callbackAttempts.length === 0 && (payment.state === 'paid' || payment.state === 'failed'))
    list.append(payment.callbackLost ? noteRow('Callback', 'lost, never sent', 'bad') : noteRow('Callback', 'on its way', 'wait'))
  if (list.childElementCount > 0) row.append(list)
  if (known) known.replaceWith(row)
  else byId('payments').prepend(row)
  rows.set(payment.checkoutRequestId, row)
}

function renderCount() {
  byId('empty').hidden = payments.size > 0
  setText('count', payments.size === 0 ? '' : payments.size === mostShown ? 'the last ' + mostShown : payments.size === 1 ? '1 push' : payments.size + ' pushes')
}

function offerPhone(msisdn) {
  const select = byId('whose')
  if ([...select.options].some(option => option.value === msisdn)) return
  const option = make('option', '', spaced(msisdn))
  option.value = msisdn
  select.append(option)
}

function take(payment) {
  payments.set(payment.checkoutRequestId, payment)
  if (payments.size > mostShown) {
    const oldest = payments.keys().next().value
    payments.delete(oldest)
    rows.get(oldest)?.remove()
    rows.delete(oldest)
  }
  offerPhone(payment.msisdn)
  renderPayment(payment)
}

function forgetAll() {
  payments.clear()
  rows.clear()
  byId('payments').replaceChildren()
  shownId = ''
  promptId = ''
}

async function loadAll() {
  const { transactions } = await (await fetch('/__sim/transactions')).json()
  const keep = [shownId, promptId]
  forgetAll()
  ;[shownId, promptId] = keep
  for (const payment of transactions.slice(-mostShown)) take(payment)
  renderCount()
  renderPhone()
}

function onEvent(message) {
  const event = JSON.parse(message.data)
  if (event.type === 'reset') forgetAll()
  else take(event.transaction)
  if (event.type === 'transaction-settled') {
    const { transaction } = event
    if (!following || following === transaction.msisdn) shownId = transaction.checkoutRequestId
    announce((transaction.state === 'paid' ? 'Paid, receipt ' + transaction.receipt : 'Failed. ' + transaction.resultDesc))
  }
  if (event.type === 'callback-attempted')
    announce('Callback ' + (event.attempt.httpStatus ? 'answered ' + event.attempt.httpStatus : 'not answered'))
  renderCount()
  renderPhone()
}

function follow() {
  const source = new EventSource('/__sim/events')
  const show = (state, text) => { byId('link').dataset.state = state; setText('link-text', text) }
  // Every (re)connection reads the list again, so nothing that happened in between is missing.
  source.onopen = () => { show('live', 'Live'); loadAll().catch(() => show('lost', 'Not answering')) }
  source.onerror = () => show('lost', 'Simulator stopped, trying again')
  for (const type of ['push-accepted', 'push-acknowledged', 'prompt-shown', 'prompt-answered', 'transaction-settled', 'callback-attempted', 'callback-lost', 'reset'])
    source.addEventListener(type, onEvent)
}

async function showNumbers() {
  const { testNumbers } = await (await fetch('/__sim/test-numbers')).json()
  for (const { msisdn, about } of testNumbers) {
    const row = make('li')
    const button = make('button', '', msisdn)
    button.type = 'button'
    button.setAttribute('aria-label', 'Copy ' + msisdn)
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(msisdn)
      announce('Copied ' + msisdn)
      button.textContent = 'copied'
      setTimeout(() => { button.textContent = msisdn }, 900)
    })
    row.append(button, make('span', '', about))
    byId('numbers').append(row)
  }
}

function tick() {
  const now = new Date()
  setText('clock', clockFormat.format(now))
  setText('bigclock', clockFormat.format(now))
  setText('date', dateFormat.format(now))
}

for (const key of ['1', '2', '3', '4', '5', '6', '7', '8', '9', '', '0', '⌫']) {
  const button = make('button', key === '' ? 'blank' : '', key)
  button.type = 'button'
  if (key === '') { button.tabIndex = -1; button.setAttribute('aria-hidden', 'true') }
  if (key === '⌫') button.setAttribute('aria-label', 'Delete the last digit')
  button.addEventListener('click', () => {
    const pin = byId('pin').value
    setPin(key === '⌫' ? pin.slice(0, -1) : (pin + key).slice(0, 4))
  })
  byId('keypad').append(button)
}
byId('pin').addEventListener('input', () => setPin(byId('pin').value.replace(/\D/g, '').slice(0, 4)))
byId('view-prompt').addEventListener('submit', event => {
  event.preventDefault()
  const pin = byId('pin').value
  if (pin.length === 4) void answer('approve', pin)
  else setText('problem', 'The PIN has four digits')
})
byId('view-prompt').addEventListener('keydown', event => { if (event.key === 'Escape') void answer('cancel') })
byId('cancel').addEventListener('click', () => void answer('cancel'))
byId('dismiss').addEventListener('click', () => { shownId = ''; renderPhone() })
byId('reset').addEventListener('click', () => void fetch('/__sim/reset', { method: 'POST' }))
byId('whose').addEventListener('change', event => { following = event.target.value; shownId = ''; promptId = ''; renderPhone() })
byId('ring').addEventListener('click', () => {
  byId('ring').disabled = true
  setText('ring-problem', '')
  ring().catch(error => setText('ring-problem', error.message)).finally(() => { byId('ring').disabled = false })
})
setText('base-url', location.origin)
tick()
setInterval(tick, 1000)
void showNumbers()
follow()
`
