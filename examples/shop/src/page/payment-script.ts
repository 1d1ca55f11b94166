/** One payment on the screen, from the first moment to its end. */
export const paymentScript = `
import { byId, formatKes, isOver, make, phonePage, setText, toneOf } from './elements.js'
import { noteChange } from './counter.js'
import { language, onLanguage, otherLanguage, say } from './language.js'
import { watch } from './watch.js'

let shown = null
let followed = ''
let line = ''
let actions = { again() {}, another() {} }

export function showSending(checkout) {
  followed = ''
  show({ status: 'SENDING', amount: checkout.amount, phone: null, reference: null, receipt: null, explanation: null })
  byId('payment-title').focus({ preventScroll: true })
  byId('payment').scrollIntoView({ block: 'nearest' })
}

/** Shows a payment until it is over: as the shop just answered it, or, after a reload, by its id alone. */
export function follow(id, answer, whatNext) {
  actions = whatNext
  followed = id
  line = ''
  watch(id, answer, ({ payment, line: next }) => {
    if (payment) noteChange(payment)
    // Somebody who has ordered something else still sees in the list how this one ends.
    if (id !== followed) return
    line = next
    if (payment === undefined) return actions.unknown()
    if (payment) {
      show(payment)
      if (isOver(payment.status) && !payment.isReported) actions.ended(payment)
    } else if (line === 'lost') show({ id, status: 'LOOKING', amount: 0, explanation: null })
    showLine()
  })
}

export function leavePayment() {
  followed = ''
  shown = null
  byId('payment').hidden = true
}

onLanguage(() => {
  if (!shown) return
  show(shown)
  showLine()
})

/** How this page hears is told apart from how the payment stands: being cut off is never a failure. */
function showLine() {
  const isWaiting = shown && (!isOver(shown.status) || shown.isReported)
  const word = isWaiting ? { live: 'lineLive', asking: 'lineAsking', lost: 'lineLost' }[line] : ''
  byId('payment-line').dataset.line = word ? line : ''
  setText('payment-line', word ? say(word) : '')
}

function show(payment) {
  shown = payment
  const { status, explanation, isOverdue, isReported } = payment
  const place = byId('payment')
  byId('checkout').hidden = true
  place.hidden = false
  place.dataset.tone = toneOf(payment)
  place.dataset.status = status
  const story = isReported ? (status === 'SUCCESS' ? 'reportedPaid' : 'reportedNot') : isOverdue ? 'overdue' : status.toLowerCase()
  setText('payment-title', say(story + 'Title'))
  if (explanation && status !== 'SUCCESS' && !isReported) {
    setText('payment-lead', explanation.customer[language()])
  } else {
    setText('payment-lead', say(story === 'success' && !payment.isPacked ? 'successUnpacked' : story + 'Text'))
  }
  showOtherLanguage(status === 'SUCCESS' || isReported ? null : explanation)
  setText('payment-amount', payment.amount ? formatKes(payment.amount) : '')
  setText('payment-bought', payment.title ? payment.title[language()] : '')
  const hint = isOverdue ? 'overdueHint' : status === 'PENDING' ? 'pendingDemo' : status === 'UNKNOWN' && explanation ? 'unknownText' : ''
  setText('payment-hint', hint && say(hint))
  showFacts(payment)
  showActions(payment)
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

function showActions({ id, status, isOverdue, isReported }) {
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
  if (toneOf({ status }) === 'bad' && !isReported) buttons.push(button('again', () => actions.again(), true))
  // Also while it waits: nobody has to stay. Without an id the shop has not answered yet.
  if (id) buttons.push(button('another', () => actions.another(), status === 'SUCCESS'))
  byId('payment-actions').replaceChildren(...buttons)
}
`
