/** The gist of a report on a terminal, and the option that writes all of it as a page. */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { SettingsError } from '../errors/errors.js';
import { writeFileDurably } from '../files/durableFile.node.js';
import { reportPage } from '../tasks/report/html/page.js';
import type {
  ClassesSection,
  ConfusedPair,
  ConfusionSection,
  ExamplesSection,
  GroupsSection,
  HistogramSection,
  ReliabilitySection,
  ReportExample,
  ReportSection,
  TaskReport,
} from '../tasks/report/report.js';
import { type Column, cutToWidth, tableLines } from './columns.js';
import type { OptionDefinition, OptionValues } from './command.js';
import type { Output } from './output.js';

export const REPORT_OPTION: OptionDefinition = {
  flags: '--report <file>',
  description:
    'of a fine-tuned model or of predictions: write an HTML page with pictures that shows where they are wrong: classes, confusions, whether probabilities can be believed, the worst 20 examples',
};

/**
 * The file that the report goes to, before anything is computed.
 * @throws SettingsError when it cannot be one
 */
export function reportFile({ report }: OptionValues): string | undefined {
  if (report === undefined) return undefined;
  const path = String(report);
  const refuse = (problem: string) => new SettingsError([`--report is ${path}${problem}`]);
  if (!/\.html?$/i.test(path)) throw refuse('; expected the name of a page to write, such as report.html');
  if (!existsSync(dirname(resolve(path)))) throw refuse(', and there is no folder of that name; make it first');
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw refuse(', which is a folder');
  return path;
}

export interface ShownReport {
  /** What was evaluated, and the file of the data. */
  readonly model: string;
  readonly data: string;
  /** Where the page goes. */
  readonly path?: string;
}

/** Says what matters most, and writes the page. @returns the report as `--json` has it */
export async function showReport(
  report: TaskReport,
  { model, data, path }: ShownReport,
  output: Output,
): Promise<object> {
  const { task, sections, notices = [] } = report;
  for (const line of reportLines(sections)) output.line(line);
  for (const { message, advice } of notices) output.line(output.style(`warning: ${message}. ${advice}`, 'yellow'));
  if (path !== undefined) {
    const title = `${basename(resolve(model))}, on ${basename(data)}`;
    await writeFileDurably(path, [reportPage(report, { title })]);
    output.line(`report: ${path}`);
  }
  return { task, sections, notices };
}

type Lines<K> = (section: Extract<ReportSection, { readonly kind: K }>) => string[];
const LINES: { readonly [K in ReportSection['kind']]: Lines<K> } = {
  classes: classLines,
  confusion: confusionLines,
  reliability: reliabilityLines,
  histogram: residualLines,
  scatter: () => [],
  groups: groupLines,
  examples: exampleLines,
};

export function reportLines(sections: readonly ReportSection[]): string[] {
  return sections.flatMap((section) => (LINES[section.kind] as Lines<string>)(section as never));
}

const right = (title: string): Column => ({ title, align: 'right' });

/** Classes that are listed: of more the most frequent. */
const LISTED = 20;

function classLines({ of, classes }: ClassesSection): string[] {
  const shown = [...classes].sort((a, b) => b.rows - a.rows).slice(0, LISTED);
  const rows = classes
    .filter((each) => shown.includes(each))
    .map(({ name, precision, recall, f1, rows: inData, predicted }) => [
      cutToWidth(name, 40),
      ...[precision, recall, f1].map((value) => value.toFixed(4)),
      ...[inData, predicted].map(String),
    ]);
  const columns = [{ title: of }, ...['precision', 'recall', 'F1', 'rows', 'predicted'].map(right)];
  const more = classes.length - shown.length;
  return [...tableLines(columns, rows).map((line) => `  ${line}`), ...(more > 0 ? [`  and ${more} rarer ones`] : [])];
}

/** Confusions that are named. */
const NAMED = 5;

function confusionLines({ largest, otherEnds = 0 }: ConfusionSection): string[] {
  if (largest.length === 0) return [];
  const ends = otherEnds > 0 ? `; of the missed ${otherEnds} were found with other ends` : '';
  return [`largest confusions: ${largest.slice(0, NAMED).map(pairInWords).join(', ')}${ends}`];
}

function pairInWords({ wanted, got, count }: ConfusedPair): string {
  if (wanted === undefined) return `${got} made up ${count}`;
  return got === undefined ? `${wanted} missed ${count}` : `${wanted} taken for ${got} ${count}`;
}

const JUDGED: Readonly<Record<ReliabilitySection['of'], string>> = {
  text: 'probabilities',
  decision: 'probabilities of labels',
  word: 'probabilities of tags',
  answer: 'probabilities of answers',
};

function reliabilityLines({ of, bins, expectedCalibrationError }: ReliabilitySection): string[] {
  const count = bins.reduce((sum, bin) => sum + bin.count, 0);
  const confidence = bins.reduce((sum, bin) => sum + bin.count * (bin.confidence ?? 0), 0) / count;
  const accuracy = bins.reduce((sum, bin) => sum + bin.count * (bin.accuracy ?? 0), 0) / count;
  const means = `on average ${confidence.toFixed(4)}, right ${accuracy.toFixed(4)}`;
  return [`${JUDGED[of]}: ${means}; expected calibration error ${expectedCalibrationError.toFixed(4)}`];
}

function residualLines({ bins }: HistogramSection): string[] {
  const count = bins.reduce((sum, bin) => sum + bin.count, 0);
  const fullest = bins.reduce((a, b) => (b.count > a.count ? b : a));
  return [`predicted less wanted: ${fullest.from} to ${fullest.to} for ${fullest.count} of ${count} rows`];
}

const GROUPED: Readonly<Record<GroupsSection['by'], string>> = {
  answerable: 'questions',
  answerLength: 'words of the answer',
  questionWord: 'asked by',
};

function groupLines({ by, groups }: GroupsSection): string[] {
  const rows = groups.map(({ name, rows: count, f1, exactMatch }) => [
    name,
    f1.toFixed(4),
    exactMatch.toFixed(4),
    String(count),
  ]);
  const columns = [{ title: GROUPED[by] }, ...['F1', 'exact match', 'questions'].map(right)];
  return tableLines(columns, rows).map((line) => `  ${line}`);
}

/** Examples that are shown, and how much of each. */
const SHOWN = 3;
const TEXT_WIDTH = 100;

function exampleLines({ numWrong, examples }: ExamplesSection): string[] {
  if (examples.length === 0) return [];
  const shown = examples.slice(0, SHOWN);
  return [`the worst ${shown.length} of ${numWrong}:`, ...shown.flatMap(exampleInLines)];
}

function exampleInLines({ place, texts, wanted, got, probability, f1, difference }: ReportExample): string[] {
  const oneLine = (text: string, width: number) => cutToWidth(text.replace(/\s+/g, ' ').trim(), width);
  const figures = [
    ...(f1 === undefined ? [] : [`F1 ${f1.toFixed(3)}`]),
    ...(probability === undefined ? [] : [`p ${probability.toFixed(3)}`]),
    ...(difference === undefined ? [] : [`off by ${difference.toFixed(3)}`]),
  ].join(', ');
  // Of tags each text is the same sentence.
  const different = texts.filter(({ text }, i) => texts.findIndex((other) => other.text === text) === i);
  return [
    `  ${place}  wanted ${oneLine(wanted, 60)}, got ${oneLine(got, 60)}${figures && ` (${figures})`}`,
    ...different.map(({ text }) => `    ${oneLine(text, TEXT_WIDTH)}`),
  ];
}
