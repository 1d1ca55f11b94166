/** What every page has: colours for light and dark, system fonts, the head. No images. */
export const baseStyle = `
:root {
  --ink: #221c15; --soft: #62584b; --line: #e8dfd0; --paper: #faf6ee; --card: #fffdf9; --wash: #f3ecdf;
  --green: #0a6b38; --green-deep: #07502a; --green-wash: #e2f3e8; --red: #a8251d; --red-wash: #fbe9e6;
  --amber: #7d5200; --amber-wash: #fcf0d4; --blue: #1c5a8a; --blue-wash: #e5eff8; --gold: #f4c95d;
  --shadow: 0 1px 2px rgb(60 40 10 / .06), 0 12px 32px -12px rgb(60 40 10 / .14);
  font: 16px/1.5 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  color: var(--ink); background: var(--paper);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #f3ece1; --soft: #b9ad9c; --line: #393127; --paper: #14110d; --card: #1e1914; --wash: #292219;
    --green: #5fd08d; --green-deep: #8be4ae; --green-wash: #14301f; --red: #ff9f95; --red-wash: #3b1a17;
    --amber: #f2c76c; --amber-wash: #34280f; --blue: #93c6ef; --blue-wash: #152a3c; --shadow: 0 1px 2px rgb(0 0 0 / .5);
  }
}
* { box-sizing: border-box; margin: 0; }
[hidden] { display: none !important; }
button, input { font: inherit; color: inherit; }
button, summary, label { cursor: pointer; }
:focus-visible { outline: 3px solid #2b8fd6; outline-offset: 2px; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
h1 { font-size: 1.5rem; line-height: 1.2; letter-spacing: -.02em; text-wrap: balance; }
h2 { font-size: 1.2rem; letter-spacing: -.015em; }
.hint { font-size: .875rem; color: var(--soft); }
code, .mono { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }

header { background: var(--card); }
.bar { display: flex; align-items: center; gap: 12px; max-width: 1200px; margin: 0 auto; padding: 14px clamp(16px, 4vw, 32px); }
.mark { width: 40px; height: 40px; flex: none; }
.shop { font-weight: 780; font-size: 1.15rem; letter-spacing: -.02em; line-height: 1.2; }
.languages { margin-left: auto; display: flex; padding: 3px; border-radius: 12px; background: var(--wash); }
.languages button { min-width: 44px; min-height: 38px; border: 0; border-radius: 9px; background: none; font-weight: 650; font-size: .875rem; color: var(--soft); }
.languages button[aria-pressed=true] { background: var(--card); color: var(--ink); box-shadow: 0 1px 3px rgb(60 40 10 / .2); }
@media (prefers-reduced-motion: reduce) { *, *::before, *::after { animation: none !important; transition: none !important; } }
`
