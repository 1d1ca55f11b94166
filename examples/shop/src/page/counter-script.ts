/** The list of recent payments, each with its story. */
export const counterScript = `
import { byId, formatKes, formatTime, formatWhen, isOver, make, toneOf } from './elements.js'
import { language, onLanguage, say } from './language.js'

const lookAgainMs = 4000
const mostLooks = 300
const rows = new Map()
let payments = []
let timer = 0
let looks = 0

/** Reads the list now, and again while one of them is not over. */
export async function refreshCounter() {
  looks = 0
  await look()
}

async function look() {
  clearTimeout(timer)
  try {
    const response = await fetch('/api/payments')
    if (response.ok) payments = (await response.json()).payments
  } catch { /* the shop is away: the payment on the screen says so */ }
  render()
  looks += 1
  if (looks < mostLooks && payments.some(({ status }) => !isOver(status))) timer = setTimeout(() => void look(), lookAgainMs)
}

function render() {
  byId('none').hidden = payments.length > 0
  const list = payments.map(payment => {
    const row = rows.get(payment.id) ?? makeRow(payment.id)
    rows.set(payment.id, row)
    const { status, title, amount, reference, phone, initiatedAt, receipt, isPacked } = payment
    row.chip.textContent = say(status)
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
  const explanation = payments.find(payment => payment.id === id)?.explanation
  if (!explanation) return
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
