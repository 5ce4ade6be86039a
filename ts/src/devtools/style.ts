export const STYLE = `
:host {
  position: relative;
  --page: #ffffff; --soft: #f3f5f8; --text: #14181f; --quiet: #596273; --line: #dde1e8; --main: #1d4ed8; --on-main: #ffffff;
  --fold: #047857; --rekey: #92600a; --rebuild: #b91c1c; --flash: #fde68a;
  display: flex; flex-direction: column; box-sizing: border-box; min-height: 0; overflow: hidden;
  font: 13px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); border: 1px solid var(--line);
  color-scheme: light dark; text-align: start;
}
:host([hidden]) { display: none; }
:host([docked]) {
  position: fixed; inset: auto 0 0; z-index: 2147483000; height: min(26rem, 60vh); border-width: 1px 0 0;
  box-shadow: 0 -0.25rem 1.5rem #0003;
}
@media (prefers-color-scheme: dark) {
  :host {
    --page: #12161d; --soft: #1a1f28; --text: #e8ebf0; --quiet: #9aa4b4; --line: #2d343f; --main: #7ba6ff; --on-main: #0b1220;
    --fold: #34d399; --rekey: #fbbf24; --rebuild: #f87171; --flash: #6b4f0b;
  }
}
* { box-sizing: border-box; }
h2, h3, p, ul, ol, dl, dd, pre { margin: 0; padding: 0; }
h2 { font-size: 1rem; }
h3 { font-size: 0.85rem; margin-top: 0.75rem; }
ul, ol { list-style: none; }
code, pre { font: 12px/1.5 ui-monospace, SFMono-Regular, Menlo, monospace; }
pre { padding: 0.5rem 0.6rem; border-radius: 0.4rem; background: var(--soft); white-space: pre-wrap; overflow-wrap: anywhere; }
.head { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; align-items: center; padding: 0.5rem 0.75rem; border-bottom: 1px solid var(--line); }
.head .space { flex: 1; }
.quiet { color: var(--quiet); }
.numbers, td.number, th.number { font-variant-numeric: tabular-nums; }
button {
  padding: 0.25rem 0.65rem; border: 1px solid var(--line); border-radius: 0.4rem; font: inherit; color: inherit;
  background: var(--page); cursor: pointer;
}
button[aria-pressed='true'] { background: var(--main); border-color: var(--main); color: var(--on-main); }
button:focus-visible, [tabindex]:focus-visible { outline: 2px solid var(--main); outline-offset: 1px; }
button.name { padding: 0; border: 0; background: none; text-align: start; font-weight: 600; overflow-wrap: anywhere; }
.panes { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); flex: 1; min-height: 0; }
.panes > * { min-width: 0; min-height: 0; overflow: auto; padding: 0.5rem 0.75rem 0.75rem; }
.panes > section { border-inline-start: 1px solid var(--line); }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 0.3rem 0.5rem 0.3rem 0; border-bottom: 1px solid var(--line); text-align: start; font-weight: normal; vertical-align: baseline; }
thead th { color: var(--quiet); font-size: 0.85em; }
td.number, th.number { text-align: end; white-space: nowrap; }
tr[aria-selected='true'] { background: var(--soft); }
.way { padding: 0 0.4rem; border: 1px solid currentColor; border-radius: 1rem; font-size: 0.85em; white-space: nowrap; }
.way.fold { color: var(--fold); } .way.rekey { color: var(--rekey); } .way.rebuild { color: var(--rebuild); }
.changed { animation: flash 1s ease-out; }
@keyframes flash { from { background: var(--flash); } }
@media (prefers-reduced-motion: reduce) { .changed { animation: none; } }
.buttons { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; margin: 0.5rem 0; }
.drawing { overflow: auto; margin-top: 0.4rem; border: 1px solid var(--line); border-radius: 0.5rem; max-height: 20rem; }
.drawing > img { display: block; }
.plan { display: grid; gap: 0.4rem; margin-top: 0.4rem; }
.plan > li { padding: 0.4rem 0.6rem; border: 1px solid var(--line); border-radius: 0.5rem; overflow-wrap: anywhere; }
.plan > .arrow { padding: 0; border: 0; text-align: center; line-height: 1; color: var(--quiet); }
.plan pre { margin: 0.35rem 0; white-space: pre-wrap; }
.bad { color: var(--rebuild); }
.log { display: grid; gap: 0.15rem; margin-top: 0.4rem; }
.log li:not(.quiet) { display: grid; grid-template-columns: 4.5rem 1fr; gap: 0.5rem; overflow-wrap: anywhere; }
@media (max-width: 48rem) {
  .panes { display: block; overflow: auto; }
  .panes > * { overflow: visible; }
  .panes > section { border-inline-start: 0; border-top: 1px solid var(--line); }
  .wide { display: none; }
  .head button { position: absolute; inset: 0.5rem 0.75rem auto auto; }
  :host([docked]) { height: min(32rem, 75vh); }
}
`
