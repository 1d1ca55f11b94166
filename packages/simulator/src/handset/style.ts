/** The look of the page. System fonts, no images, light and dark. */
export const handsetStyle = `
:root {
  --ink: #14211a; --soft: #52645a; --faint: #6b7b72; --line: #dfe7e1; --paper: #f4f7f4; --card: #ffffff;
  --green: #0b7a37; --green-deep: #075227; --green-wash: #e3f4e9; --red: #b3261e; --red-wash: #fdeceb;
  --amber: #8a5a00; --amber-wash: #fdf2d9; --blue: #1d5f94; --blue-wash: #e5f0f9; --shadow: 0 1px 2px rgb(20 33 26 / .05), 0 8px 24px rgb(20 33 26 / .05);
  font: 16px/1.5 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  color: var(--ink); background: var(--paper);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e8f0ea; --soft: #a9b8af; --faint: #8c9c93; --line: #2a352e; --paper: #0e1511; --card: #161f1a;
    --green: #4ccf7f; --green-deep: #7fe3a5; --green-wash: #14311f; --red: #ff9a91; --red-wash: #3a1a18;
    --amber: #f0c46a; --amber-wash: #33280f; --blue: #8fc4ee; --blue-wash: #14283a; --shadow: 0 1px 2px rgb(0 0 0 / .4);
  }
}
* { box-sizing: border-box; margin: 0; }
body { min-height: 100vh; }
button, input, select { font: inherit; color: inherit; }
button { cursor: pointer; }
:focus-visible { outline: 3px solid #2f9e5f; outline-offset: 2px; }
code, .mono { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; font-size: .92em; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
[hidden] { display: none !important; }

.bar { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 16px; padding: 14px clamp(16px, 4vw, 40px); background: var(--card); border-bottom: 1px solid var(--line); }
.brand { display: flex; align-items: center; gap: 10px; }
h1 { font-size: 1.05rem; font-weight: 700; letter-spacing: -.01em; }
.mark { width: 14px; height: 24px; border-radius: 4px; border: 3px solid #0b8a3e; border-bottom-width: 6px; }
.tagline { color: var(--faint); font-size: .9rem; }
.link { margin-left: auto; display: flex; align-items: center; gap: 8px; font-size: .85rem; color: var(--soft); }
.dot { width: 9px; height: 9px; border-radius: 50%; background: #c58a12; }
.link[data-state=live] .dot { background: #17a34a; box-shadow: 0 0 0 4px rgb(23 163 74 / .16); }
.link[data-state=lost] .dot { background: #d0342c; }

main { display: grid; gap: 40px; grid-template-columns: 348px minmax(0, 1fr); max-width: 1180px; margin: 0 auto; padding: 32px clamp(16px, 4vw, 40px) 64px; align-items: start; }
.bench { position: sticky; top: 24px; }
.whose { display: grid; gap: 4px; margin-bottom: 16px; }
.whose label { font-size: .85rem; color: var(--soft); }
select { width: 100%; min-height: 44px; padding: 8px 12px; border-radius: 10px; border: 1px solid var(--line); background: var(--card); }
.hint { margin-top: 14px; text-align: center; text-wrap: balance; font-size: .84rem; color: var(--soft); }
.hint code { padding: 1px 6px; border-radius: 6px; background: var(--card); border: 1px solid var(--line); color: var(--ink); }

.phone { padding: 11px; border-radius: 50px; background: linear-gradient(150deg, #3c4640, #10150f 30%, #0b0f0c 70%, #2c352f); box-shadow: 0 30px 60px -20px rgb(8 40 22 / .45), 0 2px 4px rgb(0 0 0 / .3), inset 0 0 0 2px rgb(255 255 255 / .07); }
.screen { position: relative; height: 652px; border-radius: 40px; overflow: hidden; display: flex; flex-direction: column; color: #fff;
  background: radial-gradient(120% 60% at 85% 0%, #39b36d 0%, transparent 60%), radial-gradient(110% 70% at 0% 100%, #0a6a5a 0%, transparent 60%), linear-gradient(180deg, #0c7a3c, #053f22); }
.status { display: grid; grid-template-columns: 1fr auto 1fr; align-items: center; padding: 14px 24px 6px; font-size: .82rem; font-weight: 600; }
.island { width: 84px; height: 24px; border-radius: 14px; background: #050807; }
.signal { display: flex; justify-content: flex-end; align-items: flex-end; gap: 2px; }
.signal i { width: 3px; border-radius: 1px; background: #fff; height: 5px; } .signal i:nth-child(2) { height: 7px; } .signal i:nth-child(3) { height: 9px; } .signal i:nth-child(4) { height: 11px; }
.signal b { width: 20px; height: 10px; margin-left: 5px; border-radius: 3px; border: 1.5px solid #fff; background: linear-gradient(90deg, #fff 75%, transparent 75%); background-clip: content-box; padding: 1px; }
.view { flex: 1; display: flex; flex-direction: column; min-height: 0; }
.idle { align-items: center; padding: 56px 20px 40px; }
.bigclock { font-size: 4.8rem; line-height: 1; font-weight: 200; letter-spacing: -.04em; font-variant-numeric: tabular-nums; }
.date { margin-top: 8px; opacity: .85; }
.waiting { margin-top: auto; display: flex; align-items: center; gap: 10px; padding: 10px 18px; border-radius: 99px; background: rgb(0 0 0 / .28); font-size: .92rem; }
.pulse { width: 9px; height: 9px; border-radius: 50%; background: #9df3bf; animation: pulse 2s infinite; }
@keyframes pulse { 50% { opacity: .3; transform: scale(.8); } }

.screen::before { content: ""; position: absolute; inset: 0; background: rgb(2 20 10 / .55); opacity: 0; transition: opacity .2s; }
.screen[data-view=prompt]::before, .screen[data-view=working]::before { opacity: 1; }
.screen > * { position: relative; }
.prompt { justify-content: space-between; animation: rise .22s ease-out; }
@keyframes rise { from { opacity: 0; transform: translateY(18px); } }
.sheet { margin: 14px 14px 0; padding: 18px 18px 14px; border-radius: 22px; background: #fff; color: #14211a; box-shadow: 0 18px 40px rgb(0 0 0 / .3); }
.sheet-title { font-weight: 800; color: #0b7a37; letter-spacing: .02em; }
.sheet-phone { font-size: .82rem; color: #5a6b61; font-variant-numeric: tabular-nums; }
.sheet-text { margin-top: 10px; font-size: 1.02rem; line-height: 1.42; overflow-wrap: anywhere; max-height: 138px; overflow: auto; }
.pinbox { position: relative; margin-top: 12px; }
.pinbox input { width: 100%; height: 50px; border-radius: 12px; border: 1.5px solid #b9c8bf; background: #f5f9f6; color: transparent; caret-color: transparent; text-align: center; }
.pinbox input:focus { border-color: #0b7a37; outline: 3px solid rgb(11 122 55 / .25); outline-offset: 0; }
.dots { position: absolute; inset: 0; display: flex; align-items: center; justify-content: center; gap: 20px; pointer-events: none; }
.dots i { width: 14px; height: 14px; border-radius: 50%; border: 1.5px solid #8da396; transition: background .1s, transform .1s; }
.dots i.on { background: #0b7a37; border-color: #0b7a37; transform: scale(1.1); }
.problem { min-height: 1.3em; margin-top: 4px; font-size: .82rem; color: #b3261e; text-align: center; }
.actions { display: grid; grid-template-columns: 1fr 1fr; gap: 10px; }
.actions button, .wide { min-height: 46px; border-radius: 12px; border: 0; font-weight: 650; }
.plain { background: #edf2ee; color: #22332a; } .plain:hover { background: #e0e9e2; }
.go { background: #0b7a37; color: #fff; } .go:hover { background: #086330; } .go:disabled { background: #5d7d6b; color: #eef5f0; cursor: default; }
.keypad { display: grid; grid-template-columns: repeat(3, 1fr); gap: 8px; padding: 12px 18px 22px; }
.keypad button { height: 50px; border: 0; border-radius: 14px; background: rgb(255 255 255 / .16); color: #fff; font-size: 1.35rem; font-weight: 500; }
.keypad button:hover { background: rgb(255 255 255 / .26); } .keypad button:active { background: rgb(255 255 255 / .4); }
.keypad .blank { visibility: hidden; }

.working { align-items: center; justify-content: center; gap: 18px; }
.spinner { width: 44px; height: 44px; border-radius: 50%; border: 4px solid rgb(255 255 255 / .25); border-top-color: #fff; animation: spin .9s linear infinite; }
@keyframes spin { to { transform: rotate(1turn); } }
.message { padding: 40px 16px 26px; justify-content: space-between; animation: rise .22s ease-out; }
.sms { padding: 18px; border-radius: 22px; background: rgb(255 255 255 / .97); color: #14211a; box-shadow: 0 18px 40px rgb(0 0 0 / .25); }
.sms-from { display: flex; align-items: center; gap: 10px; font-weight: 700; } .sms-from small { display: block; font-weight: 400; color: #5a6b61; }
.avatar { display: grid; place-items: center; width: 38px; height: 38px; border-radius: 12px; background: #0b7a37; color: #fff; font-weight: 800; }
.sms-amount { margin-top: 14px; font-size: 1.9rem; font-weight: 750; letter-spacing: -.02em; }
.sms[data-paid=false] .avatar { background: #b3261e; }
.sms-text { margin-top: 4px; color: #33443a; overflow-wrap: anywhere; }
.sms-code { margin-top: 12px; padding-top: 12px; border-top: 1px solid #e3eae5; font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .86rem; color: #52645a; }
.wide { width: 100%; background: rgb(0 0 0 / .32); color: #fff; } .wide:hover { background: rgb(0 0 0 / .45); }

.heading { display: flex; align-items: baseline; gap: 12px; margin-bottom: 14px; }
h2 { font-size: 1.25rem; font-weight: 720; letter-spacing: -.015em; }
.count { color: var(--faint); font-size: .9rem; }
.quiet { margin-left: auto; min-height: 40px; padding: 6px 14px; border-radius: 10px; border: 1px solid var(--line); background: var(--card); font-size: .88rem; color: var(--soft); }
.quiet:hover { color: var(--ink); border-color: var(--faint); }
.empty { padding: 22px; border-radius: 16px; border: 1.5px dashed var(--line); color: var(--soft); }
.empty strong { color: var(--ink); }
pre { margin-top: 14px; padding: 14px 16px; border-radius: 12px; background: #0f2417; color: #c9f2d8; overflow-x: auto; font-size: .88rem; }
.ring { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 14px; margin-top: 16px; font-size: .92rem; }
.ring button { min-height: 44px; padding: 8px 18px; border: 0; border-radius: 12px; font-weight: 650; }
.ring-problem { font-size: .88rem; color: var(--red); }
.payments { list-style: none; padding: 0; display: grid; gap: 12px; }
.payment { padding: 16px 18px; border-radius: 16px; background: var(--card); border: 1px solid var(--line); box-shadow: var(--shadow); }
.payment.fresh { animation: arrive .5s ease-out; }
@keyframes arrive { from { opacity: 0; transform: translateY(-8px); } }
.top { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 12px; }
.amount { font-size: 1.2rem; font-weight: 720; letter-spacing: -.01em; font-variant-numeric: tabular-nums; }
.chip { padding: 2px 10px; border-radius: 99px; font-size: .8rem; font-weight: 650; }
.chip[data-tone=good] { background: var(--green-wash); color: var(--green-deep); } .chip[data-tone=bad] { background: var(--red-wash); color: var(--red); }
.chip[data-tone=wait] { background: var(--amber-wash); color: var(--amber); } .chip[data-tone=live] { background: var(--blue-wash); color: var(--blue); }
.when { margin-left: auto; font-size: .84rem; color: var(--faint); font-variant-numeric: tabular-nums; }
.facts { margin-top: 4px; font-size: .92rem; color: var(--soft); overflow-wrap: anywhere; }
.ids { font-size: .8rem; color: var(--faint); overflow-wrap: anywhere; }
.attempts { list-style: none; margin-top: 10px; padding: 10px 0 0; border-top: 1px solid var(--line); display: grid; gap: 6px; }
.attempt { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 10px; font-size: .86rem; color: var(--soft); font-variant-numeric: tabular-nums; }
.attempt b { color: var(--ink); font-weight: 600; } .code { font-family: ui-monospace, Menlo, Consolas, monospace; font-weight: 650; }
.code[data-tone=good] { color: var(--green); } .code[data-tone=bad] { color: var(--red); } .code[data-tone=wait] { color: var(--amber); }
.took { margin-left: auto; color: var(--faint); }

.numbers { margin-top: 36px; }
.numbers summary { cursor: pointer; } .numbers summary h2 { display: inline; margin-left: 4px; }
.note { margin: 6px 0 12px; color: var(--soft); font-size: .92rem; }
.numbers ul { list-style: none; padding: 0; display: grid; gap: 0 28px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 330px), 1fr)); }
.numbers li { display: grid; grid-template-columns: 124px 1fr; gap: 8px; align-items: center; min-height: 44px; border-bottom: 1px solid var(--line); font-size: .88rem; line-height: 1.3; color: var(--soft); }
.numbers li button { min-height: 36px; padding: 4px 8px; margin-left: -8px; text-align: left; border: 0; border-radius: 8px; background: none; color: var(--ink); font-family: ui-monospace, Menlo, Consolas, monospace; font-variant-numeric: tabular-nums; }
.numbers li button:hover { background: var(--green-wash); }

@media (max-width: 860px) {
  main { grid-template-columns: minmax(0, 1fr); gap: 32px; padding-top: 20px; }
  .bench { position: static; width: min(348px, 100%); margin: 0 auto; }
  .tagline { display: none; }
}
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }
`
