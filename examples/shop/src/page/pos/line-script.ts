/** The strip that tells whether this screen can be believed, and since when not. */
export const lineScript = `
import { byId, formatMinute, setText } from '/shop/elements.js'
import { onLanguage, say } from './language.js'

let line = 'connecting'
let sinceMs = 0
let hasGap = false
let missed = 0
let heardMs = null
let shopAheadMs = 0

/** What time it is at the shop: a cheap tablet knows neither hour nor day. */
export const shopNow = () => Date.now() + shopAheadMs
export function noteShopTime(atMs) { shopAheadMs = atMs - Date.now() }
export function noteHeard() { heardMs = performance.now() }
export function noteLine(next) {
  // It was last to be believed when it was last heard.
  if (['live', 'connecting'].includes(line)) sinceMs = shopNow() - (heardMs === null ? 0 : performance.now() - heardMs)
  line = next
  show()
}
export function noteGap() { hasGap = true; show() }
export function noteMissed(count) { missed = count; show() }

let seen = () => {}
export const onSeen = listener => { seen = listener }

const fill = (word, values) => say(word).replace(/\\{(\\w+)\\}/g, (_, name) => values[name])

function show() {
  const time = formatMinute(sinceMs || shopNow())
  const isNews = line === 'live' && !hasGap && missed > 0
  const story = line === 'live' ? (hasGap ? 'gap' : isNews ? 'missed' : 'live') : line
  byId('line').dataset.line = story
  setText('line-title', fill(story === 'missed' ? 'missedTitle' : story, { time, count: missed }))
  setText('line-text', say(story + 'Text'))
  byId('line-seen').hidden = story !== 'missed' && story !== 'gap'
  byId('line-list').hidden = story !== 'gap'
  byId('line-reload').hidden = story !== 'closed'
  document.title = (['live', 'missed', 'connecting'].includes(story) ? '' : '⚠ ') + say('till') + ' · Duka Jirani'
  showHeard()
}

function showHeard() {
  if (heardMs === null) return setText('heard', line === 'connecting' ? '' : say('heardNever'))
  const seconds = Math.floor((performance.now() - heardMs) / 1000)
  const count = seconds < 60 ? seconds : Math.floor(seconds / 60)
  setText('heard', seconds < 2 ? say('heardNow') : fill(seconds < 60 ? 'heardSeconds' : 'heardMinutes', { count }))
}

setInterval(showHeard, 1000)
byId('line-reload').addEventListener('click', () => location.reload())
byId('line-seen').addEventListener('click', () => { hasGap = false; seen(); show() })
onLanguage(show)
`
