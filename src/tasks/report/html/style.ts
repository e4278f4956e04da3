/** The style sheet of report pages: indigo for what was found, vermilion for what is wrong, green for what was wanted. */
export const STYLE = `
:root{color-scheme:light dark;--paper:#fbfaf7;--card:#fff;--ink:#1c1b22;--soft:#6b6875;--line:#e6e3dc;--accent:#4a3fd6;--heat:214,63,28;--teal:#0f7b78;--amber:#9a5b00;--amber-bg:#fdf0d9;--ok:#1d7a46;
--sans:Inter,"Noto Sans KR","Noto Sans CJK KR",system-ui,sans-serif;--serif:"Source Serif 4","Noto Serif KR","Noto Serif CJK KR",Georgia,serif;--mono:"JetBrains Mono","Noto Sans Mono",ui-monospace,monospace}
@media(prefers-color-scheme:dark){:root{--paper:#15141a;--card:#1d1c24;--ink:#ece9f2;--soft:#9c98a8;--line:#2d2b37;--accent:#9d95ff;--heat:255,120,84;--teal:#4fd0c8;--amber:#ffca7a;--amber-bg:#3a2c14;--ok:#6fd79a}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 var(--sans)}
header{display:flex;align-items:center;gap:10px;padding:20px 32px;font-weight:650;letter-spacing:-.01em}
main{max-width:1040px;margin:0 auto;padding:8px 32px 96px}
h1{font:400 clamp(24px,3vw,34px)/1.3 var(--serif);letter-spacing:-.01em;margin:16px 0 4px;overflow-wrap:anywhere}
h2{font-size:14px;font-weight:550;color:var(--soft);margin:48px 0 14px}
p{max-width:70ch}.soft{color:var(--soft)}.warn{background:var(--amber-bg);color:var(--amber);border-radius:12px;padding:12px 18px;max-width:none}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:22px 24px;overflow-x:auto}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:20px}main>.two{margin-top:48px}.two h2{margin-top:0}
table{border-collapse:collapse;font-size:15px}th{font-weight:550;color:var(--soft);text-align:left;font-size:14px}
td,th{padding:5px 14px 5px 0;vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}td.name{overflow-wrap:break-word}
.meter{display:inline-block;width:72px;height:8px;border-radius:4px;background:var(--line);margin-right:8px}.meter i{display:block;height:100%;border-radius:4px;background:var(--accent)}
.matrix td,.matrix th{padding:0}.matrix td{min-width:52px;height:34px;text-align:center;vertical-align:middle;font:500 13px var(--mono);border:2px solid var(--card);border-radius:6px}
.matrix th{font-size:13px;padding:2px 8px}.matrix th.side{text-align:right;vertical-align:middle;max-width:220px;overflow-wrap:break-word}.matrix th.top{max-width:110px;text-align:center;vertical-align:bottom;overflow-wrap:break-word}
.matrix td.right{background:color-mix(in srgb,var(--accent) calc(var(--p)*60%),transparent)}.matrix td.wrong{background:rgba(var(--heat),calc(var(--p)*.75))}.matrix td.zero{color:var(--line)}
svg{display:block;width:100%;max-width:560px;height:auto}header svg{width:26px}svg text{font:12px var(--sans);fill:var(--soft)}
svg .grid{stroke:var(--line)}svg .axis{stroke:var(--soft)}svg .ideal{stroke:var(--soft);stroke-dasharray:5 4}
svg .bar{fill:var(--accent)}svg .second{fill:var(--teal)}svg .mark{fill:rgb(var(--heat))}svg .point{fill:var(--accent);opacity:.45}
.key{display:inline-block;width:11px;height:11px;border-radius:3px;margin:0 6px 0 14px}.key:first-child{margin-left:0}
ol{list-style:none;margin:0;padding:0;display:grid;gap:14px}li .head{display:flex;flex-wrap:wrap;gap:6px 18px;font-size:14px;color:var(--soft);margin-bottom:8px}
li .head .wanted,li .head .got{display:-webkit-box;-webkit-line-clamp:2;-webkit-box-orient:vertical;overflow:hidden}li .head b{font-weight:600;color:var(--ink)}li .head .got b{color:rgb(var(--heat))}li .head .wanted b{color:var(--ok)}li .head .p{margin-left:auto;font:500 13px/1.6 var(--mono)}
blockquote{margin:6px 0 0;font:400 17px/1.6 var(--serif);white-space:pre-wrap;overflow-wrap:anywhere;max-height:15em;overflow:auto}blockquote small{font:500 12px var(--sans);color:var(--soft);margin-right:10px}
mark{background:none;color:inherit;border-radius:4px;padding:0 2px}mark.wanted{box-shadow:inset 0 -3px 0 var(--ok)}mark.got{background:rgba(var(--heat),.22)}mark.entity{background:color-mix(in srgb,var(--accent) 16%,transparent)}
mark sub{font:500 11px var(--mono);color:var(--soft);margin-left:3px;vertical-align:baseline}
@media(max-width:640px){header{padding:16px}main{padding:8px 16px 64px}.card{padding:16px}}
@media print{.card{break-inside:avoid}}
`;
