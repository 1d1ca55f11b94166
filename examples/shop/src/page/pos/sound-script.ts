/** Tones from the tablet itself: no file. Browsers allow none before a touch, so there is a button for it. */
export const soundScript = `
import { byId } from '/shop/elements.js'
import { onLanguage, say } from './language.js'

// Hertz and the second at which each begins. Up is good; low is not; level is a question.
const tunes = {
  paid: { shape: 'triangle', notes: [[660, 0], [880, .13], [1320, .26]], lastS: .4 },
  failed: { shape: 'sawtooth', notes: [[220, 0], [165, .22]], lastS: .42 },
  unsure: { shape: 'triangle', notes: [[440, 0], [440, .26]], lastS: .3 },
}
let audio = null

export function play(name) {
  if (audio?.state !== 'running') return
  const { shape, notes, lastS } = tunes[name]
  for (const [index, [hertz, atS]] of notes.entries()) {
    const start = audio.currentTime + atS
    const end = start + (index === notes.length - 1 ? lastS : .16)
    const tone = audio.createOscillator()
    const gain = audio.createGain()
    tone.type = shape
    tone.frequency.value = hertz
    gain.gain.setValueAtTime(.0001, start)
    gain.gain.exponentialRampToValueAtTime(shape === 'sawtooth' ? .16 : .4, start + .02)
    gain.gain.exponentialRampToValueAtTime(.0001, end)
    tone.connect(gain).connect(audio.destination)
    tone.start(start)
    tone.stop(end + .02)
  }
}

function show() {
  const isOn = audio?.state === 'running'
  byId('sound').setAttribute('aria-pressed', String(isOn))
  byId('sound-word').dataset.word = isOn ? 'soundOn' : 'soundOff'
  byId('sound-word').textContent = say(byId('sound-word').dataset.word)
}

byId('sound').addEventListener('click', async () => {
  // One that is made by a touch runs already.
  if (audio?.state === 'running') await audio.suspend()
  else {
    audio ??= listenTo(new AudioContext())
    await audio.resume()
    play('paid')
    void keepAwake()
  }
  show()
})

/** A tablet that takes the sound away, for a call or to save power, must not look as if it were on. */
function listenTo(context) {
  context.addEventListener('statechange', show)
  return context
}

/** A till that has gone to sleep tells nobody anything. Where the browser allows it: https, or localhost. */
async function keepAwake() {
  try { await navigator.wakeLock?.request('screen') } catch { /* then the tablet's own setting decides */ }
}
document.addEventListener('visibilitychange', () => { if (!document.hidden && audio?.state === 'running') void keepAwake() })
onLanguage(show)
`
