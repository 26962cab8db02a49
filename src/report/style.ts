/** The looks of a report: light and dark, narrow and wide, screen and paper. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --text: #1d2129; --soft: #626b78; --line: #dfe3e8; --card: #f6f7f9;
  --accent: #3563d9; --muted: #a3abb8; --data: #c3cad6; --warn: #9a5b00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171c; --text: #e4e7ec; --soft: #98a1ae; --line: #2c323b; --card: #1c2027;
    --accent: #7aa2ff; --muted: #6b7482; --data: #434b58; --warn: #e0a84e;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1120px; padding: 40px 24px 64px; background: var(--page); color: var(--text);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif;
  -webkit-font-smoothing: antialiased;
}
h1 { font-size: 28px; line-height: 1.2; letter-spacing: -0.015em; margin: 0 0 6px; overflow-wrap: anywhere; }
h2 { font-size: 18px; letter-spacing: -0.005em; margin: 48px 0 4px; }
h3 { font-size: 13px; font-weight: 600; margin: 0 0 6px; }
p { margin: 0 0 14px; max-width: 96ch; }
.soft, figcaption { color: var(--soft); }
h2 + p, figcaption { font-size: 14px; color: var(--soft); }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(165px, 1fr)); gap: 12px; margin: 26px 0 0; }
.figure { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; }
.figure b { display: block; font-size: 24px; line-height: 1.25; font-weight: 650; font-variant-numeric: tabular-nums; }
.figure b small { font-size: 13px; font-weight: 400; color: var(--soft); }
.figure div { font-size: 13px; font-weight: 600; }
.protocols { list-style: none; padding: 0; margin: 12px 0 0; font-size: 12.5px; color: var(--soft); }
.three { display: grid; grid-template-columns: repeat(auto-fit, minmax(280px, 1fr)); gap: 20px 28px; }
.many { display: grid; grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)); gap: 22px 28px; }
.three > *, .many > * { min-width: 0; break-inside: avoid; }
.many h3 { display: flex; justify-content: space-between; gap: 8px; }
.many h3 span:first-child { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.many h3 span:last-child { font-weight: 400; color: var(--soft); font-variant-numeric: tabular-nums; white-space: nowrap; }
.key { font-size: 13px; color: var(--soft); display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0 0 12px; }
.key i { display: inline-block; width: 18px; height: 0; border-top: 2.5px solid var(--accent); margin-right: 7px; vertical-align: 4px; }
.key i.muted { border-color: var(--muted); }
.key i.dot { width: 9px; height: 9px; border: 0; border-radius: 50%; background: var(--accent); vertical-align: 0; }
.key i.box { width: 12px; height: 12px; border: 0; border-radius: 2px; background: var(--data); vertical-align: -1px; }
.key i.block { width: 12px; height: 12px; border: 0; border-radius: 2px; background: var(--accent); vertical-align: -1px; }
.key i.block.muted { background: var(--muted); }
figure { margin: 0; }
figure img { display: block; max-width: 100%; height: auto; image-rendering: pixelated; border-radius: 6px; border: 1px solid var(--line); }
figcaption { margin-top: 8px; max-width: 96ch; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; font-size: 13px; line-height: 1.4; width: 100%; }
th, td { padding: 6px 12px; text-align: left; white-space: nowrap; border-bottom: 1px solid var(--line); }
tr:last-child td { border-bottom: 0; }
thead th { background: var(--card); font-weight: 600; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
td.none { color: var(--muted); }
tbody.pair tr:first-child td { border-bottom: 0; padding-bottom: 1px; }
tbody.pair tr:last-child td { padding-top: 1px; border-bottom: 1px solid var(--line); }
tbody.pair:last-child tr:last-child td { border-bottom: 0; }
tbody.pair td:first-child { color: var(--soft); }
td.differs { color: var(--accent); }
.facts td { white-space: normal; vertical-align: top; }
.facts td:first-child { color: var(--soft); width: 30%; min-width: 130px; }
.wide { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 20px 36px; align-items: start; }
.wide > * { min-width: 0; }
ul { margin: 0; padding-left: 18px; font-size: 14px; }
li { margin-bottom: 4px; overflow-wrap: anywhere; }
.notes li::marker { color: var(--warn); }
details { margin-top: 14px; }
summary { cursor: pointer; color: var(--soft); font-size: 14px; margin-bottom: 8px; }
footer { margin-top: 56px; padding-top: 14px; border-top: 1px solid var(--line); font-size: 13px; color: var(--soft); }
svg { display: block; max-width: 100%; }
[data-chart] svg { --plot-background: var(--page); }
figure.plot-figure, [data-chart] figure { margin: 0; }
[class*="-swatches"] { margin-bottom: 4px !important; }
@media (max-width: 640px) { body { padding: 24px 16px 40px; } h1 { font-size: 23px; } }
@media print {
  :root { color-scheme: light; --page: #fff; --text: #000; --soft: #555; --line: #ccc; --card: #f6f7f9; --accent: #2450c0; --muted: #999; --data: #c9cfd9; }
  body { max-width: none; padding: 0; font-size: 11pt; } h2 { break-after: avoid; } .scroll, figure { break-inside: avoid; }
}
`;
