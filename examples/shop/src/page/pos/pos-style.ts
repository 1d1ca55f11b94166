/** The look of the till: read from two metres, on a cheap tablet, in a bright shop. On top of `base-style.ts`. */
export const posStyle = `
:root { --on: #fff; --ink: #16110b; --soft: #4d4439; --line: #cfc4b2; --amber: #6e4700; --amber-strong: #ffc83d; }
@media (prefers-color-scheme: dark) { :root { --on: #14110d; --ink: #fff8ec; --soft: #d0c5b4; --line: #4a4036; --amber: #ffd27a; --amber-strong: #ffc83d; } }
body { min-height: 100vh; display: flex; flex-direction: column; }
.bar { max-width: none; gap: 10px; padding: 8px clamp(12px, 2.4vw, 28px); }
.mark { width: 36px; height: 36px; }
h1.shop { font-size: 1.15rem; margin-right: auto; }
.languages { margin-left: 0; }
.sound, .leave { display: inline-flex; align-items: center; gap: 8px; min-height: 44px; padding: 4px 14px; border: 2px solid var(--ink); border-radius: 12px; background: none; color: var(--ink); font-weight: 680; text-decoration: none; }
.leave { border-color: var(--line); }
.sound svg { width: 24px; height: 24px; flex: none; }
.sound[aria-pressed=false] { background: var(--amber-strong); border-color: var(--amber-strong); color: #221703; }
.sound[aria-pressed=false] .waves, .sound[aria-pressed=true] .mute { display: none; }

.line { position: sticky; top: 0; z-index: 1; display: grid; grid-template-columns: auto minmax(0, 1fr) auto auto; align-items: center; gap: 4px 14px; min-height: 68px; padding: 8px clamp(12px, 2.4vw, 28px); border-block: 2px solid var(--line); background: var(--wash); line-height: 1.25; }
.line-words b { font-size: 1.35rem; margin-right: 6px; }
.line-words span { font-size: 1.05rem; }
.heard { font-size: .95rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.line-actions { display: flex; gap: 8px; }
.line-actions > * { display: inline-flex; align-items: center; min-height: 46px; padding: 4px 18px; border: 2px solid currentcolor; border-radius: 12px; background: none; color: inherit; font-weight: 700; text-decoration: none; }
.lamp { width: 22px; height: 22px; border: 4px solid currentcolor; }
.line[data-line=live], .line[data-line=missed] { background: var(--green-wash); border-color: var(--green); color: var(--green-deep); }
.line[data-line=live] .lamp, .line[data-line=missed] .lamp { border-radius: 50%; background: currentcolor; }
.line[data-line=connecting] .lamp, .line[data-line=late] .lamp { border-radius: 50%; border-top-color: transparent; animation: turn 1.2s linear infinite; }
.line[data-line=late], .line[data-line=gap] { background: var(--amber-strong); border-color: #8a5a00; color: #221703; }
.line[data-line=gap] .lamp { border-style: dashed; }
.line[data-line=offline], .line[data-line=closed] { background: #8c1710; border-color: #5c0b06; color: #fff; }
.line[data-line=offline] .lamp, .line[data-line=closed] .lamp { transform: rotate(45deg); background: currentcolor; }
@keyframes turn { to { transform: rotate(1turn); } }

main { flex: 1; display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 7fr); gap: 18px; align-items: start; align-content: start; padding: 18px clamp(12px, 2.4vw, 28px) 40px; }
.side { container-type: inline-size; position: sticky; top: 104px; display: grid; grid-template-columns: minmax(0, 1fr); gap: 14px; }
[data-state] { --tone: var(--soft); --wash-tone: var(--card); }
[data-state=paid], [data-state=till] { --tone: var(--green); --wash-tone: var(--green-wash); }
[data-state=waiting] { --tone: var(--blue); --wash-tone: var(--blue-wash); }
[data-state=says-paid], [data-state=says-not], [data-state=none] { --tone: var(--amber); --wash-tone: var(--amber-wash); }
[data-state=failed] { --tone: var(--red); --wash-tone: var(--red-wash); }
.newest { display: grid; grid-template-rows: auto auto auto 2.5rem minmax(3.9rem, auto); gap: 6px; align-items: center; padding: 16px 20px; border: 4px solid var(--tone); border-radius: 20px; background: var(--wash-tone); }
.newest-label { display: flex; justify-content: space-between; font-weight: 650; color: var(--soft); font-variant-numeric: tabular-nums; }
.newest-amount { font-size: clamp(1.8rem, 14cqi - 10px, 5.4rem); font-weight: 820; letter-spacing: -.035em; line-height: 1.05; font-variant-numeric: tabular-nums; white-space: nowrap; }
.newest-state { display: flex; align-items: center; gap: 12px; color: var(--tone); font-size: clamp(1.7rem, 3vw, 2.3rem); line-height: 1.1; font-weight: 820; }
.newest-state svg { width: 52px; height: 52px; flex: none; }
.newest[data-state=""] .newest-state { visibility: hidden; } .newest[data-state=""] .newest-amount { color: var(--line); }
[data-line=offline] ~ main .newest, [data-line=closed] ~ main .newest { border-style: dashed; filter: saturate(.3); }
.newest-receipt { font-size: 1.2rem; white-space: nowrap; }
.newest-receipt .tail { font: 800 2.2rem/1 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; letter-spacing: .04em; }
.newest-more { font-size: 1.05rem; line-height: 1.3; align-self: start; text-wrap: pretty; }
.total { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 0 14px; padding: 12px 20px; border: 2px solid var(--line); border-radius: 20px; background: var(--card); font-size: 1.15rem; }
.total b { font-size: 2rem; letter-spacing: -.02em; font-variant-numeric: tabular-nums; white-space: nowrap; }

.filters { display: flex; flex-wrap: wrap; gap: 8px; margin-bottom: 12px; }
.filters button { flex: 1 0 auto; max-width: 100%; display: flex; align-items: center; justify-content: center; gap: 8px; min-height: 54px; padding: 4px 10px; border: 2px solid var(--line); border-radius: 14px; background: var(--card); font-weight: 650; }
.filters svg { width: 20px; height: 20px; flex: none; }
.filters b { font-size: 1.35rem; font-variant-numeric: tabular-nums; }
.filters button[aria-pressed=true] { border-color: var(--ink); background: var(--ink); color: var(--paper); --on: var(--ink); }
.empty { padding: 40px 20px; border: 3px dashed var(--line); border-radius: 20px; text-align: center; font-size: 1.1rem; color: var(--soft); }
.empty b { font-size: 1.4rem; color: var(--ink); }
#rows { list-style: none; padding: 0; display: grid; gap: 8px; }
/* Two lines, in which what shares a line has its own columns; one line where the list is wide enough, on whatever screen. */
.list { container-type: inline-size; }
#rows li { display: grid; grid-template-columns: auto 1fr auto; grid-template-areas: "amount amount time" "receipt state state" "note note note"; gap: 2px 14px; align-items: center; min-height: 84px; padding: 8px 16px; border: 2px solid var(--line); border-left: 10px solid var(--tone); border-radius: 16px; background: var(--card); }
#rows li:not(:only-child) { animation: arrive 1.6s ease-out; }
@keyframes arrive { from { background: var(--wash-tone); } }
.amount { grid-area: amount; font-size: 2.1rem; font-weight: 800; letter-spacing: -.025em; line-height: 1.1; font-variant-numeric: tabular-nums; white-space: nowrap; }
.receipt { grid-area: receipt; white-space: nowrap; font-size: .95rem; color: var(--soft); }
.receipt .tail { font-size: 1.6rem; color: var(--ink); letter-spacing: .03em; }
.state { grid-area: state; display: flex; align-items: center; justify-content: flex-end; gap: 10px; color: var(--tone); font-weight: 800; font-size: 1.15rem; line-height: 1.15; }
.state svg { width: 42px; height: 42px; flex: none; }
#rows time { grid-area: time; font-size: 1.05rem; font-variant-numeric: tabular-nums; color: var(--soft); text-align: right; white-space: nowrap; }
.note { grid-area: note; display: flex; flex-wrap: wrap; align-items: center; gap: 4px 10px; line-height: 1.25; color: var(--soft); }
.note:empty { display: none; }
@container (min-width: 680px) {
  #rows li { grid-template-columns: 1fr 9rem 13.8rem; grid-template-areas: "amount receipt state" "note time state"; }
  #rows li:has(.note:empty) .amount { grid-row: 1 / span 2; }
  #rows li:has(.receipt:empty) time { grid-row: 1 / span 2; font-size: 1.3rem; }
  .state { justify-content: flex-start; } #rows time { text-align: left; }
}
.alarm { color: var(--red); font-weight: 750; }
.alarm::before { content: "⚠ "; }
.missed { padding: 1px 10px; border-radius: 99px; background: var(--amber-strong); color: #221703; font-size: .95rem; }
.older { padding: 12px; text-align: center; color: var(--soft); }

@media (max-width: 900px) {
  .line { grid-template-columns: auto minmax(0, 1fr) auto; grid-template-rows: auto auto; min-height: 88px; }
  .line-words b { display: block; } .heard { grid-column: 2; grid-row: 2; } .line-actions { grid-column: 3; grid-row: 1 / span 2; }
  main { grid-template-columns: minmax(0, 1fr); }
  .side { position: static; } .newest[data-state=""] { display: none; }
}
@media (max-width: 560px) {
  .firm, .leave { display: none; }
  .sound { padding: 4px 10px; font-size: .92rem; line-height: 1.15; }
  .line { min-height: 104px; } .heard { white-space: normal; }
  .line-words b { font-size: 1.2rem; } .line-words span { font-size: .98rem; }
  .line-actions > * { padding: 4px 12px; min-height: 42px; } .line[data-line=gap] .line-actions { grid-column: 2; grid-row: 3; }
  main { padding-top: 12px; gap: 14px; }
  .newest { padding: 12px 16px; }
  #rows li { padding: 8px 12px; }
  .total { padding: 8px 16px; font-size: 1rem; } .total b { font-size: 1.5rem; }
  .state { gap: 7px; font-size: .95rem; } .state svg { width: 32px; height: 32px; }
  #rows li .amount { font-size: 1.9rem; }
}
@media (max-width: 360px) { .mark { display: none; } .bar { gap: 6px; } .sound svg { display: none; } .filters svg { display: none; } .filters button { font-size: .92rem; padding: 4px 6px; } .languages button { min-width: 38px; } #rows li .amount { font-size: 1.6rem; } }
`
