/** The payments of the day: the newest in large, the sum, and the list. */
export const rowsScript = `
import { byId, formatKes, formatTime, make, setText } from '/shop/elements.js'
import { language, onLanguage, say } from './language.js'

/** All are counted; so many are shown, that a cheap tablet stays quick. */
const mostShown = 150
const shapeOf = state => (state.startsWith('says') ? 'checking' : state)
const items = new Map()
let picked = 'all'
let shownDay = null
let newest = null

export function showDay(day) {
  shownDay = day
  const { rows, counts, paidShillings } = day
  setText('total', formatKes(paidShillings))
  setText('count-all', String(rows.length))
  for (const [group, count] of Object.entries(counts)) setText('count-' + group, String(count))
  const wanted = rows.filter(({ group }) => picked === 'all' || group === picked)
  const shown = wanted.slice(0, mostShown)
  const older = wanted.length - shown.length
  byId('older').hidden = older === 0
  setText('older', say('older').replace('{count}', String(older)))
  byId('empty').hidden = wanted.length > 0
  setText('empty-title', say(rows.length ? 'noneSuch' : 'noneYet'))
  setText('empty-text', rows.length ? '' : say('noneYetText'))
  const list = shown.map(row => {
    const item = items.get(row.key) ?? makeItem(row.key)
    fillItem(item, row)
    return item.node
  })
  const keys = new Set(rows.map(({ key }) => key))
  for (const key of items.keys()) if (!keys.has(key)) items.delete(key)
  place(list)
}

/** Moves as little as possible, so that what somebody looks at stays where it is. */
function place(list) {
  const parent = byId('rows')
  const wanted = new Set(list)
  for (const node of [...parent.children]) if (!wanted.has(node)) node.remove()
  for (const [index, node] of list.entries()) if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null)
}

export function showNewest(row) {
  newest = row
  byId('newest').dataset.state = row ? row.state : ''
  setText('newest-time', row ? formatTime(row.lastAt) : '')
  setText('newest-amount', row ? amountOf(row) : '—')
  setText('newest-state', row ? say('state-' + row.state) : '')
  byId('newest-shape').setAttribute('href', '#shape-' + (row ? shapeOf(row.state) : 'waiting'))
  const receipt = row?.view.receipt
  byId('newest-receipt').replaceChildren(...(receipt ? [make('span', '', say('receiptEnds') + ' '), ...receiptParts(receipt).slice(1)] : []))
  setText('newest-more', row ? moreOf(row) : '')
}

const amountOf = ({ view }) => (view.amount === null ? 'KES ?' : formatKes(view.amount))

/** The last four are what a person compares. */
const receiptParts = receipt => [make('span', 'head', receipt.slice(0, -4)), make('b', 'tail', receipt.slice(-4))]

function moreOf({ state, view }) {
  if (view.contradicted) return say('differs')
  if (state === 'failed') {
    const why = view.explanation?.customer[language()] ?? say(view.status)
    return say('more-failed') + ' ' + why
  }
  return say('more-' + state)
}

function makeItem(key) {
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use')
  const shape = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  shape.setAttribute('aria-hidden', 'true')
  shape.append(use)
  const item = { use, node: make('li'), amount: make('b', 'amount'), receipt: make('span', 'receipt mono'), state: make('span', 'state'), time: make('time'), note: make('span', 'note') }
  item.state.append(shape, make('span'))
  item.node.append(item.amount, item.receipt, item.state, item.time, item.note)
  items.set(key, item)
  return item
}

function fillItem(item, row) {
  const { state, view, lastAt, isMissed } = row
  item.node.dataset.state = state
  const key = JSON.stringify([language(), state, view, lastAt, isMissed])
  if (item.key === key) return
  item.key = key
  item.use.setAttribute('href', '#shape-' + shapeOf(state))
  item.state.lastChild.textContent = say('state-' + state)
  item.amount.textContent = amountOf(row)
  item.time.textContent = formatTime(lastAt)
  item.time.dateTime = lastAt
  item.receipt.replaceChildren(...(view.receipt ? receiptParts(view.receipt) : []))
  const why = view.contradicted ? say('differs') : state === 'failed' ? say(view.status) : ['till', 'none'].includes(state) ? say('more-' + state) : ''
  item.note.replaceChildren(...(isMissed ? [make('b', 'missed', say('missed'))] : []), ...(why ? [make('span', view.contradicted ? 'alarm' : '', why)] : []))
}

for (const button of document.querySelectorAll('[data-group]'))
  button.addEventListener('click', () => {
    picked = button.dataset.group
    for (const each of document.querySelectorAll('[data-group]')) each.setAttribute('aria-pressed', String(each === button))
    if (shownDay) showDay(shownDay)
  })
onLanguage(() => {
  byId('filters').setAttribute('aria-label', say('filter'))
  if (shownDay) showDay(shownDay)
  showNewest(newest)
})
`
