/** Each kind of section as HTML; complete by type. */

import type {
  ClassesSection,
  ClassKind,
  ConfusedPair,
  ConfusionSection,
  ExamplesSection,
  GroupsSection,
  HistogramSection,
  ReliabilitySection,
  ReportExample,
  ReportSection,
  ScatterSection,
} from '../report.js';
import { formatTick, roundTicks } from '../roundTicks.js';
import { escapeMarkup } from './escapeMarkup.js';
import { markedText } from './markedText.js';
import { barChart, pointChart } from './svg.js';

type Drawing<K> = (section: Extract<ReportSection, { readonly kind: K }>) => string;
const SECTIONS: { readonly [K in ReportSection['kind']]: Drawing<K> } = {
  classes: classTable,
  confusion: confusionTable,
  reliability,
  histogram,
  scatter,
  groups,
  examples,
};

export function sectionHtml(section: ReportSection): string {
  return (SECTIONS[section.kind] as Drawing<string>)(section as never);
}

const card = (title: string, content: string) =>
  `<section><h2>${escapeMarkup(title)}</h2><div class="card">${content}</div></section>`;

const NAMES: Readonly<Record<ClassKind, { readonly one: string; readonly many: string }>> = {
  label: { one: 'label', many: 'labels' },
  type: { one: 'type', many: 'types' },
  choice: { one: 'number of the choice', many: 'choices by number' },
};

const number = (value: number) => `<td class="n">${value.toFixed(4)}</td>`;
const count = (value: number) => `<td class="n">${value.toLocaleString('en-US')}</td>`;
const heads = (names: readonly string[]) =>
  `<tr>${names.map((name, i) => `<th${i === 0 ? '' : ' class="n"'}>${escapeMarkup(name)}</th>`).join('')}</tr>`;

function classTable({ of, classes }: ClassesSection): string {
  const rows = classes.map(({ name, precision, recall, f1, rows: inData, predicted }) => {
    const meter = `<span class="meter"><i style="width:${(100 * f1).toFixed(1)}%"></i></span>`;
    return `<tr><td class="name">${escapeMarkup(name)}</td>${number(precision)}${number(recall)}<td class="n">${meter}${f1.toFixed(4)}</td>${count(inData)}${count(predicted)}</tr>`;
  });
  const names = [NAMES[of].one, 'precision', 'recall', 'F1', 'rows', 'predicted'];
  return card(`Precision, recall and F1 of the ${NAMES[of].many}`, `<table>${heads(names)}${rows.join('')}</table>`);
}

/** Classes of a table that can be taken in: of more those that are confused most. */
const MATRIX = 24;
/** Classes of a table that takes half of the page. */
const BESIDE = 4;

function confusionTable({ of, labels, counts, hasNothing, largest, otherEnds = 0 }: ConfusionSection): string {
  const wrong = labels.map((_, k) => counts[k].reduce((sum, n, j) => sum + (j === k ? 0 : n + counts[j][k]), 0));
  const all = labels.map((_, k) => k);
  const chosen = new Set([...all].sort((a, b) => wrong[b] - wrong[a]).slice(0, MATRIX));
  const shown = [...all.filter((k) => chosen.has(k)), ...(hasNothing ? [labels.length] : [])];
  const name = (k: number, nothing: string) => escapeMarkup(k === labels.length ? nothing : labels[k]);
  const largestOff = Math.max(1, ...shown.flatMap((i) => shown.map((j) => (i === j ? 0 : counts[i][j]))));
  const cell = (i: number, j: number) => {
    if (i === labels.length && j === i) return '<td></td>';
    const value = counts[i][j];
    const total = counts[i].reduce((sum, n) => sum + n, 0);
    const share = i === j ? value / Math.max(1, total) : value / largestOff;
    const className = value === 0 ? 'zero' : i === j ? 'right' : 'wrong';
    return `<td class="${className}" style="--p:${share.toFixed(3)}">${value}</td>`;
  };
  const head = shown.map((j) => `<th class="top">${name(j, 'missed')}</th>`).join('');
  const rows = shown.map(
    (i) => `<tr><th class="side">${name(i, 'made up')}</th>${shown.map((j) => cell(i, j)).join('')}</tr>`,
  );
  const corner = '<th class="side">wanted ↓ &nbsp; got →</th>';
  const cut = labels.length > MATRIX ? `<p class="soft">The ${MATRIX} most confused of ${labels.length}.</p>` : '';
  const named = largest.map((pair) => `<tr><td class="name">${pairInWords(pair)}</td>${count(pair.count)}</tr>`);
  const ends = otherEnds > 0 ? `<p class="soft">${otherEnds} of the missed were found, but with other ends.</p>` : '';
  const list =
    named.length === 0
      ? '<p class="soft">Nothing was confused.</p>'
      : `<table>${heads(['the most frequent', 'times'])}${named.join('')}</table>${ends}`;
  const matrix = `<table class="matrix"><tr>${corner}${head}</tr>${rows.join('')}</table>${cut}`;
  const both = `${card(`Which ${NAMES[of].many} were taken for which`, matrix)}${card('Largest confusions', list)}`;
  return shown.length <= BESIDE ? `<div class="two">${both}</div>` : both;
}

function pairInWords({ wanted, got }: ConfusedPair): string {
  if (wanted === undefined) return `<b>${escapeMarkup(got ?? '')}</b> made up`;
  return got === undefined
    ? `<b>${escapeMarkup(wanted)}</b> missed`
    : `<b>${escapeMarkup(wanted)}</b> taken for <b>${escapeMarkup(got)}</b>`;
}

const JUDGED: Readonly<Record<ReliabilitySection['of'], string>> = {
  text: 'probability of what was predicted',
  decision: 'probability of the decision on each label',
  word: "probability of each word's tag",
  answer: 'probability of the answer',
};

function reliability({ of, bins, expectedCalibrationError }: ReliabilitySection): string {
  const full = bins.filter((bin) => bin.count > 0);
  const share = (value = 0) => `${(100 * value).toFixed(1)} %`;
  const accuracy = barChart({
    title: 'Accuracy by probability',
    xLabel: JUDGED[of],
    yLabel: 'share that is right',
    xTicks: bins.map(({ from }) => from).concat(1),
    yIncludes: [0, 1],
    diagonal: true,
    bars: full.map(({ from, to, count: n, confidence, accuracy: right = 0 }) => ({
      from,
      to,
      value: right,
      hint: `${n} with a mean probability of ${share(confidence)}: ${share(right)} right`,
    })),
    marks: full.map(({ confidence = 0 }) => ({ at: confidence, value: confidence })),
  });
  const counts = barChart({
    title: 'How many have which probability',
    xLabel: JUDGED[of],
    yLabel: 'count',
    xTicks: bins.map(({ from }) => from).concat(1),
    bars: full.map(({ from, to, count: n }) => ({ from, to, value: n, className: 'second', hint: String(n) })),
  });
  const legend = `<p class="soft">Bars at the dashed line: the model is right as often as it says. The dots are the mean probabilities. Expected calibration error <b>${expectedCalibrationError.toFixed(4)}</b> over ${bins.length} bins.</p>`;
  return `<div class="two">${card('Can the probabilities be believed?', legend + accuracy)}${card('How sure it is', counts)}</div>`;
}

function histogram({ bins }: HistogramSection): string {
  const bounds = bins.map(({ from }) => from).concat(bins[bins.length - 1].to);
  const xDomain = [bounds[0], bounds[bounds.length - 1]] as const;
  return card(
    'How far off',
    barChart({
      title: 'Predicted less wanted',
      xLabel: 'predicted less wanted',
      yLabel: 'rows',
      xTicks: roundTicks(bounds).filter((tick) => tick >= xDomain[0] && tick <= xDomain[1]),
      xDomain,
      bars: bins.map(({ from, to, count: n }) => ({
        from,
        to,
        value: n,
        hint: `${formatTick(from, bounds)} to ${formatTick(to, bounds)}: ${n}`,
      })),
    }),
  );
}

function scatter({ points, numRows }: ScatterSection): string {
  const cut = points.length < numRows ? `<p class="soft">${points.length} of ${numRows} rows.</p>` : '';
  const drawn = pointChart({ title: 'Wanted and predicted numbers', xLabel: 'wanted', yLabel: 'predicted', points });
  return card('Wanted and predicted', drawn + cut);
}

const GROUPED: Readonly<Record<GroupsSection['by'], string>> = {
  answerable: 'Questions with and without an answer',
  answerLength: 'By the words of the answer',
  questionWord: 'By what is asked',
};

function groups({ by, groups: found }: GroupsSection): string {
  const bars = found.flatMap(({ name, rows, f1, exactMatch }, i) => [
    { from: i + 0.12, to: i + 0.5, value: f1, hint: `${name}: F1 ${f1.toFixed(4)} of ${rows}` },
    {
      from: i + 0.5,
      to: i + 0.88,
      value: exactMatch,
      className: 'second',
      hint: `${name}: EM ${exactMatch.toFixed(4)}`,
    },
  ]);
  const picture = barChart({
    title: `F1 and exact match. ${GROUPED[by]}`,
    xLabel: '',
    yLabel: 'F1, exact match',
    xTicks: [0, found.length],
    xNames: found.map(({ name }) => name),
    yIncludes: [0, 1],
    bars,
  });
  const key =
    '<p class="soft"><i class="key" style="background:var(--accent)"></i>F1<i class="key" style="background:var(--teal)"></i>exact match</p>';
  const rows = found.map(
    ({ name, rows: n, f1, exactMatch }) =>
      `<tr><td class="name">${escapeMarkup(name)}</td>${number(f1)}${number(exactMatch)}${count(n)}</tr>`,
  );
  const table = `<table>${heads(['', 'F1', 'exact match', 'questions'])}${rows.join('')}</table>`;
  return card(GROUPED[by], `<div class="two"><div>${key}${picture}</div><div>${table}</div></div>`);
}

function examples({ numWrong, examples: shown }: ExamplesSection): string {
  if (shown.length === 0) return card('The worst examples', '<p class="soft">Nothing was answered wrongly.</p>');
  const title =
    shown.length < numWrong
      ? `The worst ${shown.length} of ${numWrong} examples`
      : `The worst examples, ${numWrong} in all`;
  return `<section><h2>${escapeMarkup(title)}</h2><ol>${shown.map(exampleItem).join('')}</ol></section>`;
}

/** "dev.csv:17" of "/home/ada/dev.csv:17": a page is for others, too. */
function withoutFolders(place: string): string {
  return place.replace(/^([a-z]:)?[^:,]*[\\/]/i, '');
}

function exampleItem({ place, texts, wanted, got, ...figures }: ReportExample): string {
  const { probability, f1, difference } = figures;
  const said = [
    ...(f1 === undefined ? [] : [`F1 ${f1.toFixed(3)}`]),
    ...(probability === undefined ? [] : [`p ${probability.toFixed(4)}`]),
    ...(difference === undefined ? [] : [`${difference > 0 ? '+' : ''}${difference.toFixed(3)}`]),
  ].join('&ensp;');
  const head = `<div class="head"><span class="wanted">wanted <b>${escapeMarkup(wanted)}</b></span><span class="got">got <b>${escapeMarkup(got)}</b></span><span>${escapeMarkup(withoutFolders(place))}</span><span class="p">${said}</span></div>`;
  const bodies = texts.map(({ name, ...text }) => {
    const caption = name === undefined ? '' : `<small>${escapeMarkup(name)}</small>`;
    return `<blockquote>${caption}${markedText(text)}</blockquote>`;
  });
  return `<li class="card">${head}${bodies.join('')}</li>`;
}
