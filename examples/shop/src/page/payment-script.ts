/** One payment on the screen, from the first moment to its end. */
export const paymentScript = `
import { byId, formatKes, isOver, make, phonePage, setText, toneOf } from './elements.js'
import { refreshCounter } from './counter.js'
import { language, onLanguage, otherLanguage, say } from './language.js'

// Live streams replace this later. Until then it asks soon at first and less and less often, and not for ever.
const pausesMs = [300, 700, 1000, 1000, 1000, 2000, 3000, 5000]
const mostLooks = 150

let shown = null
let followed = ''
let timer = 0
let looks = 0
let actions = { again() {}, another() {} }

export function showSending(checkout) {
  followed = ''
  clearTimeout(timer)
  show({ status: 'SENDING', amount: checkout.amount, phone: null, reference: null, receipt: null, explanation: null })
  byId('payment-title').focus({ preventScroll: true })
  byId('payment').scrollIntoView({ block: 'nearest' })
}

/** Looks at a payment until it is over. Resolves false when there is no such payment. */
export async function follow(id, whatNext) {
  actions = whatNext
  followed = id
  looks = 0
  return look()
}

export function leavePayment() {
  followed = ''
  shown = null
  clearTimeout(timer)
  byId('payment').hidden = true
}

async function look() {
  const id = followed
  clearTimeout(timer)
  if (!id) return false
  let payment = null
  try {
    const response = await fetch('/api/payments/' + encodeURIComponent(id))
    if (response.status === 404) return false
    if (response.ok) payment = await response.json()
  } catch { /* the shop is away: told below, and asked again */ }
  if (id !== followed) return true
  setText('payment-problem', payment ? '' : say('reconnecting'))
  if (payment) {
    const isNews = payment.status !== shown?.status || payment.isPacked !== shown?.isPacked || payment.isOverdue !== shown?.isOverdue
    if (isNews || shown?.id !== payment.id) {
      show(payment)
      void refreshCounter()
    }
    if (isOver(payment.status)) {
      actions.ended(payment)
      return true
    }
  }
  looks += 1
  if (looks < mostLooks) timer = setTimeout(() => void look(), pausesMs[Math.min(looks, pausesMs.length) - 1])
  else showActions(shown, true)
  return true
}

// Who comes back from the phone's tab wants to know now: browsers slow the timers of hidden pages down.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && followed && !(shown && isOver(shown.status))) void look()
})
onLanguage(() => { if (shown) show(shown) })

function show(payment) {
  shown = payment
  const { status, explanation, isOverdue } = payment
  const place = byId('payment')
  byId('checkout').hidden = true
  place.hidden = false
  place.dataset.tone = toneOf(payment)
  place.dataset.status = status
  const story = isOverdue ? 'overdue' : status.toLowerCase()
  setText('payment-title', say(story + 'Title'))
  if (explanation && status !== 'SUCCESS') {
    setText('payment-lead', explanation.customer[language()])
  } else {
    setText('payment-lead', say(status === 'SUCCESS' && !payment.isPacked ? 'successUnpacked' : story + 'Text'))
  }
  showOtherLanguage(status === 'SUCCESS' ? null : explanation)
  setText('payment-amount', payment.amount ? formatKes(payment.amount) : '')
  setText('payment-bought', payment.title ? payment.title[language()] : '')
  const hint = isOverdue ? 'overdueHint' : status === 'PENDING' ? 'pendingDemo' : status === 'UNKNOWN' && explanation ? 'unknownText' : ''
  setText('payment-hint', hint && say(hint))
  showFacts(payment)
  showActions(payment, false)
}

/** The one who pays and the one who helps need not read the same language: the other one is a tap away. */
function showOtherLanguage(explanation) {
  const place = byId('payment-other')
  place.hidden = !explanation
  place.lang = otherLanguage()
  setText('payment-in-other', say('inOther'))
  setText('payment-second', explanation ? explanation.customer[otherLanguage()] : '')
  if (!explanation) place.open = false
}

function showFacts({ receipt, reference, phone }) {
  const facts = []
  if (receipt) facts.push([say('receipt'), receipt, true])
  if (reference) facts.push([say('order'), reference])
  if (phone) facts.push([say('paidWith'), phone])
  byId('payment-facts').replaceChildren(...facts.flatMap(([name, value, isReceipt]) => {
    const description = make('dd')
    description.append(make('span', isReceipt ? 'mono' : '', value))
    if (isReceipt) {
      description.firstChild.id = 'receipt'
      // Without https or localhost a page may not write to the clipboard.
      if (navigator.clipboard) description.append(copyButton(value))
    }
    return [make('dt', '', name), description]
  }))
}

function copyButton(text) {
  const button = make('button', '', say('copy'))
  button.type = 'button'
  button.addEventListener('click', () => void navigator.clipboard.writeText(text).then(() => { button.textContent = say('copied') }))
  return button
}

function showActions({ id, status, isOverdue }, mayLookAgain) {
  const button = (word, act, isMain) => {
    const node = make('button', isMain ? 'go' : '', say(word))
    node.type = 'button'
    node.addEventListener('click', act)
    return node
  }
  const buttons = []
  if (status === 'PENDING' || status === 'UNKNOWN') {
    const link = make('a', status === 'PENDING' && !isOverdue ? 'go' : '', say('phoneLink'))
    link.href = phonePage()
    link.target = '_blank'
    link.rel = 'noopener'
    buttons.push(link)
  }
  if (mayLookAgain) buttons.push(button('lookAgain', () => { looks = 0; void look() }, true))
  if (toneOf({ status }) === 'bad') buttons.push(button('again', () => actions.again(), true))
  // Also while it waits: nobody has to stay. Without an id the shop has not answered yet.
  if (id) buttons.push(button('another', () => actions.another(), status === 'SUCCESS'))
  byId('payment-actions').replaceChildren(...buttons)
}
`
