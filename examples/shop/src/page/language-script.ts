/** Which language is spoken, and every sentence in it. */
export const createLanguageScript = (words: Readonly<Record<'en' | 'sw', object>>): string => `
const words = ${JSON.stringify(words)}
const listeners = []
const remembered = () => { try { return localStorage.getItem('duka.language') } catch { return null } }
let current = remembered() ?? (navigator.language.toLowerCase().startsWith('sw') ? 'sw' : 'en')
if (!(current in words)) current = 'en'

export const language = () => current
export const otherLanguage = () => (current === 'en' ? 'sw' : 'en')
export const say = word => words[current][word] ?? word
export const onLanguage = listener => listeners.push(listener)

function apply() {
  document.documentElement.lang = current
  for (const node of document.querySelectorAll('[data-word]')) node.textContent = say(node.dataset.word)
  for (const node of document.querySelectorAll('[data-en]')) node.textContent = node.dataset[current]
  for (const button of document.querySelectorAll('[data-language]'))
    button.setAttribute('aria-pressed', String(button.dataset.language === current))
  for (const listener of listeners) listener()
}

for (const button of document.querySelectorAll('[data-language]'))
  button.addEventListener('click', () => {
    current = button.dataset.language
    try { localStorage.setItem('duka.language', current) } catch { /* a browser without storage asks again next time */ }
    apply()
  })
apply()
`
