/** The look of the checkout, on top of `base-style.ts`. */
export const style = `
.tagline { font-size: .85rem; color: var(--soft); }
.beads { height: 8px; background: repeating-linear-gradient(90deg, #1b1b1b 0 22px, #fff 22px 26px, #b3221f 26px 48px, #fff 48px 52px, #0a6b38 52px 74px, #fff 74px 78px, #f4c95d 78px 88px, #fff 88px 92px); }

main { display: grid; gap: 28px; grid-template-columns: minmax(0, 1.06fr) minmax(0, 1fr); max-width: 1200px; margin: 0 auto; padding: 28px clamp(16px, 4vw, 32px) 64px; align-items: start; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 22px; box-shadow: var(--shadow); }
.till { position: sticky; top: 16px; padding: clamp(18px, 3vw, 30px); }
form { display: grid; gap: 20px; }
fieldset { border: 0; padding: 0; min-width: 0; }
.product input { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.shelf { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 10px; }
.product { position: relative; display: grid; grid-template-rows: auto auto auto 1fr; gap: 1px; padding: 12px 10px; border: 1.5px solid var(--line); border-radius: 16px; transition: border-color .15s, background .15s; }
.product:hover { border-color: var(--green); }
.product:has(:checked) { border-color: var(--green); background: var(--green-wash); box-shadow: inset 0 0 0 1px var(--green); }
.product:has(:focus-visible) { outline: 3px solid #2b8fd6; outline-offset: 2px; }
.product svg { width: 100%; max-height: 72px; margin-bottom: 6px; }
.name { font-weight: 650; font-size: .9rem; line-height: 1.25; }
.detail { font-size: .8rem; color: var(--soft); }
.price { align-self: end; margin-top: 2px; font-weight: 700; font-size: .92rem; font-variant-numeric: tabular-nums; }
.other { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 14px; margin-top: 10px; min-height: 46px; }
.pick { display: flex; align-items: center; gap: 8px; min-height: 44px; font-size: .95rem; }
.pick input { width: 18px; height: 18px; accent-color: var(--green); }
.field { position: relative; }
.kes { position: absolute; left: 12px; top: 0; line-height: 46px; color: var(--soft); font-size: .9rem; }
input#amount, input#phone { width: 100%; min-height: 46px; padding: 8px 14px; border: 1.5px solid #a89c89; border-radius: 12px; background: var(--card); }
input#amount { width: 150px; padding-left: 54px; font-weight: 650; }
.phone { display: grid; gap: 5px; }
.phone label { font-weight: 650; }
input#phone { font-size: 1.15rem; letter-spacing: .02em; font-variant-numeric: tabular-nums; }
input[aria-invalid=true] { border-color: var(--red) !important; }
.tries { padding: 14px; border-radius: 16px; background: var(--wash); }
.tries-title { font-size: .92rem; }
.chips { display: flex; flex-wrap: wrap; gap: 7px; margin-top: 9px; }
.chips button { min-height: 36px; padding: 4px 13px; border: 1px solid var(--line); border-radius: 99px; background: var(--card); font-size: .875rem; font-weight: 550; }
.chips button:hover { border-color: var(--green); }
.chips button[aria-pressed=true] { background: var(--green); border-color: var(--green); color: var(--card); }
.all { margin-top: 10px; font-size: .875rem; }
.all summary { min-height: 28px; color: var(--soft); }
.all ul { list-style: none; padding: 0; max-height: 220px; overflow: auto; }
.all li button { display: grid; grid-template-columns: 122px 1fr; gap: 8px; width: 100%; min-height: 38px; padding: 4px 6px; border: 0; border-radius: 8px; background: none; text-align: left; align-items: center; line-height: 1.3; }
.all li button:hover { background: var(--card); }
.problem { color: var(--red); font-weight: 550; font-size: .95rem; }
.problem:empty { display: none; }
.pay { display: flex; align-items: center; justify-content: space-between; gap: 12px; min-height: 58px; padding: 8px 22px; border: 0; border-radius: 16px; background: #0a6b38; color: #fff; font-weight: 720; font-size: 1.1rem; box-shadow: 0 10px 22px -10px rgb(10 107 56 / .7); transition: background .15s; }
.pay:has(.sum[hidden]) { justify-content: center; }
.pay:hover { background: #07502a; }
.pay:disabled { background: #5c7c69; cursor: progress; }
.sum { padding-left: 14px; border-left: 1px solid rgb(255 255 255 / .35); font-variant-numeric: tabular-nums; white-space: nowrap; }
.demo { text-align: center; }

.payment { display: grid; justify-items: center; gap: 14px; padding: clamp(10px, 3vw, 26px) 0; text-align: center; animation: arrive .3s ease-out; }
@keyframes arrive { from { opacity: 0; transform: translateY(8px); } }
.payment h1:focus { outline: none; }
.lead { max-width: 46ch; margin: 10px auto 0; font-size: 1.08rem; text-wrap: pretty; }
.lead:empty, .payment .hint:empty, .payment dl:empty { display: none; }
.second { max-width: 46ch; font-size: .95rem; color: var(--soft); text-wrap: pretty; }
.second summary { display: inline-flex; align-items: center; min-height: 32px; padding: 2px 12px; border-radius: 99px; background: var(--wash); font-size: .875rem; font-weight: 600; list-style: none; }
.second summary::-webkit-details-marker { display: none; }
.second summary::after { content: "▾"; margin-left: 7px; }
.second[open] summary::after { content: "▴"; }
.second p { margin-top: 8px; }
#amount-problem { flex-basis: 100%; }
.paid { font-size: 2.1rem; font-weight: 780; letter-spacing: -.03em; line-height: 1.1; font-variant-numeric: tabular-nums; }
.bought { display: block; margin-top: 4px; font-size: 1rem; font-weight: 500; letter-spacing: 0; color: var(--soft); }
.payment .hint { max-width: 44ch; }
dl { display: grid; grid-template-columns: auto auto; gap: 6px 18px; padding: 14px 20px; border-radius: 16px; background: var(--wash); text-align: left; align-items: center; }
dt { color: var(--soft); font-size: .9rem; }
dd { font-weight: 600; overflow-wrap: anywhere; }
dd button { margin-left: 8px; padding: 2px 9px; min-height: 30px; border: 1px solid var(--line); border-radius: 8px; background: var(--card); font-size: .8rem; }
.actions { display: flex; flex-wrap: wrap; justify-content: center; gap: 10px; }
.actions > * { display: inline-flex; align-items: center; min-height: 48px; padding: 8px 22px; border-radius: 14px; border: 1.5px solid #a89c89; background: none; color: var(--ink); font-weight: 650; text-decoration: none; }
.actions > .go { background: #0a6b38; border-color: #0a6b38; color: #fff; }
.actions > .go:hover { background: #07502a; }

.sign { position: relative; display: grid; place-items: center; width: 92px; height: 92px; border-radius: 50%; background: var(--blue-wash); color: var(--blue); }
.sign i { position: relative; display: block; }
[data-tone=wait] .sign i { width: 30px; height: 50px; border: 4px solid currentcolor; border-radius: 8px; animation: buzz 1.6s infinite; }
[data-tone=wait] .sign i::after { content: ""; position: absolute; left: 50%; bottom: 3px; width: 8px; height: 3px; margin-left: -4px; border-radius: 2px; background: currentcolor; }
[data-tone=wait] .sign::after { content: ""; position: absolute; inset: 0; border-radius: 50%; border: 3px solid currentcolor; opacity: 0; animation: ring 1.6s infinite; }
@keyframes buzz { 0%, 30%, 100% { transform: none; } 5%, 15%, 25% { transform: rotate(-8deg); } 10%, 20% { transform: rotate(8deg); } }
@keyframes ring { 0% { opacity: .5; transform: scale(.86); } 70%, 100% { opacity: 0; transform: scale(1.25); } }
[data-tone=good] .sign { background: var(--green-wash); color: var(--green); }
[data-tone=good] .sign i { width: 42px; height: 22px; border: solid currentcolor; border-width: 0 0 7px 7px; border-radius: 2px; transform: translate(2px, -6px) rotate(-45deg); }
[data-tone=bad] .sign { background: var(--red-wash); color: var(--red); }
[data-tone=bad] .sign i, [data-tone=bad] .sign i::after { width: 46px; height: 7px; border-radius: 4px; background: currentcolor; }
[data-tone=bad] .sign i { transform: rotate(45deg); } [data-tone=bad] .sign i::after { content: ""; position: absolute; inset: 0; transform: rotate(90deg); }
[data-tone=open] .sign { background: var(--amber-wash); color: var(--amber); font: 800 3.2rem/1 ui-sans-serif, system-ui, sans-serif; }
[data-tone=open] .sign i::after { content: "?"; font-style: normal; }

.payment-line { display: inline-flex; align-items: center; gap: 9px; max-width: 46ch; font-size: .9rem; color: var(--soft); text-align: left; }
.payment-line:not(:empty)::before { content: ""; flex: none; width: 11px; height: 11px; border-radius: 50%; background: var(--green); }
.payment-line[data-line=asking]::before { background: none; border: 3px solid var(--amber); }
.payment-line[data-line=lost] { padding: 12px 16px; border-radius: 14px; background: var(--amber-wash); color: var(--amber); font-size: 1rem; font-weight: 600; }
.payment-line[data-line=lost]::before { border-radius: 0; background: var(--amber); transform: rotate(45deg); }

.counter-links { display: flex; flex-wrap: wrap; gap: 10px; }
.counter-top > :first-child { flex: 1 1 17rem; }
.counter-top { display: flex; flex-wrap: wrap; align-items: flex-start; justify-content: space-between; gap: 14px; margin: 4px 0 14px; }
.phone-link, .till-link { flex: none; display: inline-flex; align-items: center; min-height: 42px; padding: 6px 16px; border-radius: 12px; border: 1.5px solid var(--green); color: var(--green); font-weight: 650; font-size: .92rem; text-decoration: none; }
.phone-link::after, .till-link::after { content: "↗"; margin-left: 6px; }
.phone-link:hover, .till-link:hover { background: var(--green-wash); }
.none { padding: 22px; border: 1.5px dashed #b9ac97; border-radius: 18px; color: var(--soft); }
#payments { list-style: none; padding: 0; display: grid; gap: 10px; }
#payments details { background: var(--card); border: 1px solid var(--line); border-radius: 16px; }
#payments summary { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 2px 12px; padding: 13px 16px; border-radius: 16px; list-style: none; }
#payments summary::-webkit-details-marker { display: none; }
#payments summary:hover { background: var(--wash); }
.what { font-weight: 650; line-height: 1.3; overflow-wrap: anywhere; }
.facts { grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: 0 10px; font-size: .85rem; color: var(--soft); font-variant-numeric: tabular-nums; }
.chip { align-self: center; padding: 2px 11px; border-radius: 99px; font-size: .8rem; font-weight: 680; white-space: nowrap; }
.chip[data-tone=good] { background: var(--green-wash); color: var(--green-deep); } .chip[data-tone=bad] { background: var(--red-wash); color: var(--red); }
.chip[data-tone=wait] { background: var(--blue-wash); color: var(--blue); } .chip[data-tone=open] { background: var(--amber-wash); color: var(--amber); }
.story { padding: 2px 16px 16px; }
.story ol { list-style: none; padding: 0; }
.story li { position: relative; padding: 7px 0 7px 22px; font-size: .9rem; }
.story li::before { content: ""; position: absolute; left: 4px; top: 14px; width: 9px; height: 9px; border-radius: 50%; background: var(--green); }
.story li:not(:last-child)::after { content: ""; position: absolute; left: 8px; top: 24px; bottom: -14px; width: 1.5px; background: var(--line); }
.story-top { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 10px; }
.story-top b { font-weight: 650; }
.story time { font-size: .8rem; color: var(--soft); font-variant-numeric: tabular-nums; }
.story p { color: var(--soft); overflow-wrap: anywhere; }
.staff { margin-top: 10px; padding: 10px 12px; border-radius: 12px; background: var(--wash); font-size: .875rem; }
.staff b { display: block; font-size: .8rem; color: var(--soft); font-weight: 600; }

@media (max-width: 900px) { main { grid-template-columns: minmax(0, 1fr); } .till { position: static; } }
@media (max-width: 560px) {
  main { padding: 16px 12px 48px; gap: 26px; }
  dl { padding: 14px; column-gap: 12px; }
  .shelf { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .bar { padding: 12px 16px; } .tagline { display: none; }
  .pay { padding: 8px 18px; font-size: 1.02rem; }
  .actions { width: 100%; } .actions > * { flex: 1 1 100%; justify-content: center; }
}
`
