/** The till: listens to every payment of the shop, and tells the eye, the ear and the screen reader. */
export const tillScript = `
import { byId, formatNumber, make } from '/shop/elements.js'
import { createTillBook, listen, nairobiDay } from '/live/live.js'
import { say } from './language.js'
import { noteGap, noteHeard, noteLine, noteMissed, noteShopTime, onSeen, shopNow } from './line.js'
import { showDay, showNewest } from './rows.js'
import { play } from './sound.js'

const dayMs = 86_400_000
const book = createTillBook()
const groups = new Map()
let isLive = false
let newest = null
let missedSound = ''
let isDue = false

/** Once for all that comes at once. Not with the next frame: there is none while the screen is turned off. */
function showSoon() {
  if (isDue) return
  isDue = true
  setTimeout(() => {
    isDue = false
    show()
  })
}

function show() {
  const today = nairobiDay(shopNow())
  book.forgetBefore(nairobiDay(shopNow() - dayMs))
  const day = book.day(today)
  showDay(day)
  noteMissed(day.missed)
  if (newest && nairobiDay(newest.lastAt) !== today) newest = null
  showNewest(newest)
}

function take(event, isMissed) {
  const row = book.take(event, isMissed)
  if (row === null) return
  const { key, group, state } = row
  const isNews = groups.get(key) !== state
  groups.set(key, state)
  // The one that waits must not hide the one that has just paid.
  if (group !== 'waiting' || newest === null || newest.key === key || newest.group === 'waiting') newest = row
  showSoon()
  if (!isNews) return
  if (isLive) tell(row)
  else if (isMissed && group !== 'waiting' && missedSound !== 'paid') missedSound = group
}

function tell({ state, group, view }) {
  if (group !== 'waiting') play(group)
  const word = { paid: 'sayPaid', till: 'sayPaid', waiting: 'sayWaiting', failed: 'sayFailed', none: 'sayNone' }[state]
  if (!word) return
  const values = { amount: formatNumber(view.amount ?? 0), receipt: [...(view.receipt ?? '').slice(-4)].join(' ') }
  const line = make('span', '', say(word).replace(/\\{(\\w+)\\}/g, (_, name) => values[name]))
  byId('announcer').append(line)
  while (byId('announcer').children.length > 5) byId('announcer').firstChild.remove()
}

onSeen(() => {
  book.markSeen()
  show()
})

listen({
  stream: 'source',
  onEvent: take,
  onGap: noteGap,
  onHeard: noteHeard,
  onShopTime: noteShopTime,
  onLine(line) {
    isLive = line === 'live'
    noteLine(line)
    if (!isLive) return
    // One sound for all that was missed: somebody should look.
    if (missedSound) play(missedSound)
    missedSound = ''
    showSoon()
  },
})
show()
// The day ends while nothing comes, too.
setInterval(show, 60_000)
`
