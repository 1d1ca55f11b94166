/** The form: one intent to pay, one idempotency key, however often somebody presses the button. */
export const checkoutScript = String.raw`
import { refreshCounter } from './counter.js'
import { byId, findSimulator, formatKes, make } from './elements.js'
import { onLanguage, say } from './language.js'
import { follow, leavePayment, showSending } from './payment.js'

const savedAs = 'duka.checkout'
/** What M-PESA takes in one payment. The library has the last word. */
const mostKes = 250_000
const retryPausesMs = [500, 1000, 2000, 4000]
const form = byId('checkout')
let isSending = false
let problemWord = ''
let problemDetail = ''

// The intent lives as long as this tab, so a reload in mid-flight asks again with the same key.
const readSaved = () => { try { return JSON.parse(sessionStorage.getItem(savedAs) ?? 'null') } catch { return null } }
const save = intent => sessionStorage.setItem(savedAs, JSON.stringify(intent))
const forget = () => sessionStorage.removeItem(savedAs)
const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('')

function readForm() {
  const picked = form.querySelector('input[name=product]:checked')
  const typed = byId('amount').value.replace(/[\s,]/g, '')
  const isAmount = /^\d+$/.test(typed) && Number(typed) >= 1 && Number(typed) <= mostKes
  const amount = picked.value ? Number(picked.dataset.price) : isAmount ? Number(typed) : 0
  return { product: picked.value, amount, phoneNumber: byId('phone').value.trim() }
}

const isSame = (one, other) => one.product === other.product && one.amount === other.amount && one.phoneNumber === other.phoneNumber

async function send(intent) {
  if (isSending) return
  isSending = true
  byId('pay').disabled = true
  save({ ...intent, isInFlight: true })
  tellProblem('')
  showSending(intent)
  const { phoneNumber, idempotencyKey, product, amount } = intent
  const body = JSON.stringify({ phoneNumber, idempotencyKey, ...(product ? { product } : { amount }) })
  try {
    const { response, answer } = await post(body)
    save({ ...intent, isInFlight: false })
    if (response.ok) watch(answer.id, answer)
    else if (answer.error.paymentId) watch(answer.error.paymentId)
    // The shop's own failure proves nothing about the phone: the key is kept, and pressing again is safe.
    else if (response.status >= 500) backToForm('errorOther', answer.error.message)
    else refuse(answer.error)
  } catch {
    backToForm('errorOffline')
  } finally {
    isSending = false
    byId('pay').disabled = false
  }
}

/** A lost connection proves nothing, and the key makes asking again safe. */
async function post(body) {
  for (const pauseMs of [...retryPausesMs, null]) {
    try {
      const response = await fetch('/api/payments', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      return { response, answer: await response.json() }
    } catch (error) {
      if (pauseMs === null) throw error
      await new Promise(resolve => setTimeout(resolve, pauseMs))
    }
  }
}

function refuse({ code, message }) {
  forget()
  const word = { MPESA_STK_PHONE_INVALID: 'errorPhone', MPESA_STK_AMOUNT_INVALID: 'errorAmount' }[code]
  backToForm(word ?? 'errorOther', word ? '' : message)
}

function watch(id, answer = null) {
  history.replaceState(null, '', '#' + id)
  follow(id, answer, {
    // Only after a refusal is the same key free again: nobody was prompted. Every other end has used it up.
    ended: ({ status }) => { if (status !== 'REFUSED') forget() },
    unknown: () => backToForm(),
    again: () => backToForm(),
    // While nothing is known the key is kept: the same order again leads back here instead of to a second prompt.
    another: () => backToForm(),
  })
}

function backToForm(word = '', detail = '') {
  history.replaceState(null, '', location.pathname)
  leavePayment()
  form.hidden = false
  tellProblem(word, detail)
  byId(word === 'errorAmount' ? 'amount' : 'phone').focus()
}

function tellProblem(word, detail = '') {
  problemWord = word
  problemDetail = detail
  const text = word ? [say(word), detail].filter(Boolean).join(' ') : ''
  byId('problem').textContent = word === 'errorAmount' ? '' : text
  byId('amount-problem').textContent = word === 'errorAmount' ? text : ''
  byId('phone').setAttribute('aria-invalid', String(word === 'errorPhone'))
  byId('amount').setAttribute('aria-invalid', String(word === 'errorAmount'))
}

form.addEventListener('submit', event => {
  event.preventDefault()
  const wanted = readForm()
  if (!wanted.amount) {
    tellProblem('errorAmount')
    return byId('amount').focus()
  }
  const saved = readSaved()
  void send(saved && isSame(saved, wanted) ? saved : { ...wanted, idempotencyKey: newKey() })
})

function showSum() {
  const { product, amount } = readForm()
  for (const id of ['amount-field', 'amount-hint']) byId(id).hidden = product !== ''
  // Without an amount the button just says what it does.
  byId('sum').hidden = !amount
  byId('sum').textContent = amount ? formatKes(amount) : ''
  if (problemWord === 'errorAmount' && (amount || product)) tellProblem('')
}
form.addEventListener('change', event => {
  showSum()
  if (event.target.name === 'product' && event.target.value === '') byId('amount').focus()
})
byId('amount').addEventListener('input', showSum)
byId('amount').addEventListener('change', () => { if (byId('amount').value.trim() && !readForm().amount) tellProblem('errorAmount') })

const tries = [
  ['0712 345 678', 'tryDecide'], ['254700000000', 'tryPaid'], ['254700001032', 'tryCancelled'], ['254700002001', 'tryPin'],
  ['254700000001', 'tryFunds'], ['254700001037', 'tryOff'], ['254700000504', 'tryLost'], ['254700000429', 'tryRefused'], ['254700000500', 'tryUnknown'], ['254700004999', 'tryNever'],
]
const fill = number => { byId('phone').value = number; tellProblem(''); markTries() }
const chips = tries.map(([number, word]) => {
  const chip = make('button', '', say(word))
  chip.type = 'button'
  chip.dataset.word = word
  chip.dataset.number = number
  chip.addEventListener('click', () => fill(number))
  return chip
})
byId('tries').append(...chips)
const markTries = () => { for (const chip of chips) chip.setAttribute('aria-pressed', String(chip.dataset.number === byId('phone').value.trim())) }
byId('phone').addEventListener('input', markTries)
markTries()
onLanguage(() => tellProblem(problemWord, problemDetail))

async function showNumbers() {
  for (const { msisdn, about } of await findSimulator()) {
    const item = make('li')
    const button = make('button')
    button.type = 'button'
    button.append(make('span', 'mono', msisdn), make('span', '', about))
    button.addEventListener('click', () => fill(msisdn))
    item.append(button)
    byId('numbers').append(item)
  }
}

/** After a reload: the payment in the address, or the push that was under way. */
async function resume() {
  showSum()
  const id = decodeURIComponent(location.hash.slice(1))
  const saved = readSaved()
  await Promise.allSettled([showNumbers(), refreshCounter()])
  if (id && id !== 'counter') watch(id)
  else if (saved?.isInFlight) await send(saved)
}
void resume()
`
