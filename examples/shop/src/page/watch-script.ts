/** One payment on its way: what the shop knows of it and what the stream tells, until it is over. */
export const watchScript = `
import { createPaymentView, listen, reducePayment } from '/live/live.js'
import { isOver } from './elements.js'

const lookEveryMs = 5000
/** A line that comes back this soon is nobody's news. */
const graceMs = 2000
/** Whoever orders all day does not hold a connection for each order. */
const mostWatched = 4
const watched = new Map()

/**
 * Follows a payment, by its id or as the shop just answered it, and calls tell({ payment, line }) at every change. line is
 * 'live'; 'asking', when the stream cannot be had and the shop is asked instead; 'lost', when neither answers; or '' while it
 * is being made. payment is null while nothing is known, and undefined when the shop has no such payment.
 */
export function watch(id, answer, tell) {
  const known = watched.get(id)
  if (known) {
    known.tell = tell
    known.say(true)
    return
  }
  for (const oldest of [...watched.keys()].slice(0, Math.max(0, watched.size - mostWatched + 1))) watched.get(oldest).stop()
  watched.set(id, follow(id, answer, tell))
}

function follow(id, answer, tell) {
  let payment = answer
  let view = createPaymentView(id)
  let line = ''
  let told = ''
  let timer = 0
  let overdueTimer = 0

  const me = {
    tell,
    say(isNew = false) {
      const news = { payment: payment && merge(payment, view), line }
      const now = JSON.stringify(news)
      if (now === told && !isNew) return
      told = now
      me.tell(news)
    },
    stop() {
      watched.delete(id)
      listening.close()
      clearTimeout(timer)
      clearTimeout(overdueTimer)
    },
  }

  function change() {
    me.say()
    const merged = payment && merge(payment, view)
    // A success may still correct a TIMEOUT, and it costs nothing to hear of it.
    if (merged && isOver(merged.status) && merged.status !== 'TIMEOUT' && !merged.isReported) me.stop()
  }

  async function look() {
    let status = 0
    try {
      const response = await fetch('/api/payments/' + encodeURIComponent(id))
      status = response.status
      if (response.ok) learn(await response.json())
    } catch { /* told below, and asked again */ }
    if (status === 404) payment = undefined
    return status
  }

  function learn(fresh) {
    payment = fresh
    clearTimeout(overdueTimer)
    if (fresh.overdueInMs !== null) overdueTimer = setTimeout(() => void lookOverdue(), fresh.overdueInMs + 100)
  }

  /** Whether it is overdue is the shop's to say. */
  async function lookOverdue() {
    const status = await look()
    if (!watched.has(id)) return
    if (status !== 200) overdueTimer = setTimeout(() => void lookOverdue(), lookEveryMs)
    change()
  }

  /** While there is no line, the shop is asked. */
  async function lookOn() {
    const status = await look()
    if (!watched.has(id)) return
    if (line !== 'live') {
      line = status === 200 ? 'asking' : 'lost'
      timer = setTimeout(() => void lookOn(), lookEveryMs)
    }
    change()
    if (status === 404) me.stop()
  }

  const listening = listen({
    stream: 'payment:' + id,
    onEvent(event) {
      view = reducePayment(view, event)
      change()
    },
    onLine(state) {
      clearTimeout(timer)
      if (state === 'live') line = 'live'
      else {
        if (line === 'live') line = ''
        // One that the browser calls offline is not asked for: it is told at once.
        timer = setTimeout(() => void lookOn(), state === 'offline' ? 0 : graceMs)
      }
      change()
    },
  })
  timer = setTimeout(() => void lookOn(), graceMs)
  if (answer) {
    learn(answer)
    setTimeout(change)
  } else {
    void look().then(status => {
      if (!watched.has(id)) return
      change()
      if (status === 404) me.stop()
    })
  }
  return me
}

/**
 * The word of the shop's server counts, from the stream or from its API: it has checked amount, token and receipt. A
 * callback's alone is told as what it is.
 */
function merge(payment, view) {
  const isNewer = view.isConfirmed && (view.status === 'SUCCESS' || payment.status !== 'SUCCESS')
  const { status, explanation } = view
  const receipt = view.receipt ?? payment.receipt
  // The shop packs what is paid before it reports it.
  if (isNewer) return { ...payment, status, receipt, explanation: status === payment.status ? payment.explanation : explanation, isPacked: status === 'SUCCESS', isOverdue: false, isReported: false }
  if (isOver(payment.status) || status === 'PENDING') return { ...payment, isReported: false }
  return { ...payment, status, receipt, explanation, isOverdue: false, isReported: true }
}
`
