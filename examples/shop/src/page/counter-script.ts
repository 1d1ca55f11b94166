/** The list of recent payments, each with its story. */
export const counterScript = `
import { byId, formatKes, formatTime, formatWhen, isOver, make, toneOf } from './elements.js'
import { language, onLanguage, say } from './language.js'

const rows = new Map()
let payments = []

/** Reads the list. It is not asked for again: what happens to the payments of this page is told to it. */
export async function refreshCounter() {
  try {
    const response = await fetch('/api/payments')
    if (response.ok) payments = (await response.json()).payments
  } catch { /* the shop is away: the payment on the screen says so */ }
  render()
}

// Who comes back, from the phone's tab or from anywhere, sees how things stand now.
document.addEventListener('visibilitychange', () => { if (!document.hidden) void refreshCounter() })

/** A payment of this page has changed, or is new. */
export function noteChange(payment) {
  const isKnown = payments.some(({ id }) => id === payment.id)
  payments = isKnown ? payments.map(each => (each.id === payment.id ? payment : each)) : [payment, ...payments]
  render()
}

function render() {
  byId('none').hidden = payments.length > 0
  const list = payments.map(payment => {
    const row = rows.get(payment.id) ?? makeRow(payment.id)
    rows.set(payment.id, row)
    const { status, title, amount, reference, phone, initiatedAt, receipt, isPacked } = payment
    row.chip.textContent = say(payment.isReported ? 'REPORTED' : status)
    row.chip.dataset.tone = toneOf(payment)
    row.what.textContent = formatKes(amount) + (title ? ' · ' + title[language()] : '')
    const facts = [formatWhen(initiatedAt), reference, phone, ...(receipt ? [receipt] : []), ...(isPacked ? [say('packed')] : [])]
    row.facts.replaceChildren(...facts.map(fact => make('span', '', fact)))
    if (row.status !== status && row.details.open) void tell(payment.id)
    row.status = status
    return row.item
  })
  if (list.some((item, index) => byId('payments').children[index] !== item)) byId('payments').replaceChildren(...list)
}

function makeRow(id) {
  const row = { item: make('li'), details: make('details'), chip: make('span', 'chip'), what: make('span', 'what'), facts: make('span', 'facts'), story: make('div', 'story'), status: '' }
  const summary = make('summary')
  summary.append(row.what, row.chip, row.facts)
  row.details.append(summary, row.story)
  row.details.addEventListener('toggle', () => { if (row.details.open) void tell(id) })
  row.item.append(row.details)
  return row
}

async function readPayment(id) {
  const response = await fetch('/api/payments/' + encodeURIComponent(id))
  return response.ok ? response.json() : {}
}

async function tell(id) {
  const response = await fetch('/api/payments/' + encodeURIComponent(id) + '/history')
  if (!response.ok) return
  const { timeline } = await response.json()
  const steps = make('ol')
  // The trail is written once, in English, for those who work on it.
  steps.lang = 'en'
  for (const { at, sinceStartMs, step, evidence } of timeline) {
    const entry = make('li')
    const top = make('div', 'story-top')
    const time = make('time', '', formatTime(at) + '  +' + sinceStartMs.toLocaleString('en-KE') + ' ms')
    time.dateTime = at
    top.append(make('b', '', step), time)
    entry.append(top, make('p', '', evidence))
    steps.append(entry)
  }
  const story = rows.get(id).story
  story.replaceChildren(steps)
  // What the stream tells is for customers; what the person on call reads, the shop tells.
  let explanation = payments.find(payment => payment.id === id)?.explanation
  if (explanation && !explanation.operator) ({ explanation } = await readPayment(id))
  if (!explanation?.operator) return
  const staff = make('div', 'staff')
  staff.append(make('b', '', say('staff') + ' (' + explanation.code + ')'), make('span', '', explanation.operator))
  staff.lastChild.lang = 'en'
  story.append(staff)
}

onLanguage(() => {
  render()
  for (const [id, row] of rows) if (row.details.open) void tell(id)
})
`
