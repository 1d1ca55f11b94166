/** How the scripts reach the page. Every value from outside goes through here, into text nodes. */
export const elementsScript = `
export const byId = id => document.getElementById(id)

export function make(tag, className, text) {
  const node = document.createElement(tag)
  if (className) node.className = className
  if (text !== undefined) node.textContent = text
  return node
}

/** A live region repeats whatever is set, even the same text. */
export function setText(id, text) {
  const node = byId(id)
  if (node.textContent !== text) node.textContent = text
}

export const formatNumber = amount => amount.toLocaleString('en-KE')
export const formatKes = amount => 'KES ' + formatNumber(amount)

const clock = new Intl.DateTimeFormat('en-GB', { timeZone: 'Africa/Nairobi', hour: '2-digit', minute: '2-digit', second: '2-digit' })
export const formatTime = at => clock.format(new Date(at))
export const formatMinute = at => formatTime(at).slice(0, 5)

const calendar = new Intl.DateTimeFormat('en-GB', { timeZone: 'Africa/Nairobi', day: 'numeric', month: 'short' })
/** The list outlives the day. */
export function formatWhen(at) {
  const day = calendar.format(new Date(at))
  return day === calendar.format(new Date()) ? formatTime(at) : day + ' ' + formatTime(at)
}

const tones = { SUCCESS: 'good', LOOKING: 'wait', SENDING: 'wait', PENDING: 'wait', UNKNOWN: 'open' }
export const toneOf = ({ status, isOverdue, isReported }) => (isOverdue || isReported ? 'open' : (tones[status] ?? 'bad'))

/** A later success may still correct a TIMEOUT, but nobody should stand and wait for it. */
export const isOver = status => !['wait', 'open'].includes(tones[status])

let simulatorUrl = ''
export const phonePage = () => simulatorUrl

/** The simulator is where this page is: somebody who opened the shop from another device reaches it the same way. */
export async function findSimulator() {
  const { url, testNumbers } = await (await fetch('/api/simulator')).json()
  const address = new URL(url)
  address.hostname = location.hostname
  simulatorUrl = address.href
  byId('phone-link').href = simulatorUrl
  byId('phone-link').hidden = false
  return testNumbers
}
`
