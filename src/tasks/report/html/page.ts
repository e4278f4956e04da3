/** A report as one HTML page with pictures, which asks nothing of any other place and runs no script. */
import { baselinesText, figuresOf, figureText } from '../../figures.js';
import type { ReportSection, TaskReport } from '../report.js';
import { escapeMarkup } from './escapeMarkup.js';
import { sectionHtml } from './sections.js';
import { STYLE } from './style.js';

const LOGO =
  '<svg width="26" height="22" viewBox="0 0 26 22" fill="currentColor" aria-hidden="true"><circle cx="4" cy="13" r="2"/><circle cx="10" cy="8" r="2.6"/><circle cx="15" cy="13" r="3.2"/><circle cx="12" cy="17.5" r="1.5"/><circle cx="19" cy="6" r="1.8"/><circle cx="22.5" cy="12" r="1.4"/><circle cx="8" cy="3" r="1.2"/></svg>';

/** Pictures that stand beside each other. */
const SMALL: ReadonlySet<ReportSection['kind']> = new Set(['scatter', 'histogram']);

/** @param title  for instance the names of model and data. Default: the name of the task */
export function reportPage(report: TaskReport, { title = report.task }: { readonly title?: string } = {}): string {
  const { task, rows, sections, notices = [] } = report;
  const heading = escapeMarkup(title);
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">',
    // Whatever a text holds, the page fetches nothing and runs nothing.
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${heading}</title>`,
    `<style>${STYLE}</style>`,
    `<header>${LOGO}Pleiad</header>`,
    '<main>',
    `<h1>${heading}</h1>`,
    `<p class="soft">${escapeMarkup(task)}, ${rows.toLocaleString('en-US')} rows</p>`,
    ...notices.map(({ message, advice }) => `<p class="warn">${escapeMarkup(`${message}. ${advice}`)}</p>`),
    figureTable(report),
    ...inPairs(sections),
    '</main>',
    '</html>\n',
  ].join('\n');
}

function figureTable({ metrics }: TaskReport): string {
  const rows = figuresOf(metrics).map(
    (figure) =>
      `<tr><td>${escapeMarkup(figure.name)}</td><td class="n">${figureText(figure.value)}</td><td class="soft">${escapeMarkup(baselinesText(figure))}</td></tr>`,
  );
  return `<section><h2>Figures</h2><div class="card"><table>${rows.join('')}</table></div></section>`;
}

function inPairs(sections: readonly ReportSection[]): string[] {
  const small = sections.filter(({ kind }) => SMALL.has(kind)).map(sectionHtml);
  const others = sections.filter(({ kind }) => !SMALL.has(kind)).map(sectionHtml);
  return [...(small.length > 0 ? [`<div class="two">${small.join('\n')}</div>`] : []), ...others];
}
