import { DataError, SettingsError } from '../../errors/errors.js';
import { BOXED } from '../../hub/boxedNames.js';
import { loadModelFor, withModel } from '../../pipelines/load.node.js';
import { proofreadPipeline } from '../../pipelines/proofread/pipeline.js';
import {
  type DoubtfulWord,
  type Proofreader,
  proofread as proofreaderOf,
  USUAL_FALSE_ALARMS,
} from '../../pipelines/proofread/proofread.js';
import type { CommandDefinition } from '../command.js';
import { ENGINE_OPTIONS, engineOptions } from '../engineOptions.js';
import { untilInterrupted } from '../interrupts.js';
import { defaultingTo, LOADING_OPTIONS, modelFolder, pipelineOptions } from '../modelOption.js';
import { collectProblems, grouped, numberAbove, wholeNumber } from '../numbers.js';
import type { Output } from '../output.js';
import { Lines, paragraphsOf, prose, type ReadText, readPaths, textsToProofread } from '../proofreadTexts.js';
import { type Finding, sarifLog } from '../sarif.js';

export const proofread: CommandDefinition = {
  name: 'proofread',
  summary:
    'Lists the words of a text that do not seem to belong there, most often slips, with what could stand there instead.',
  arguments: [
    {
      name: '[files...]',
      description: 'files and folders of text, or a text in quotes; without them standard input is read',
    },
  ],
  options: [
    ...defaultingTo(BOXED.pair, LOADING_OPTIONS),
    { flags: '--generator <name>', description: 'where the generator is, if not with the discriminator' },
    {
      flags: '--false-alarms <rate>',
      description: 'how many words of right text may be listed, such as 1% or 0.01. Default 1%.',
    },
    {
      flags: '--own <path>',
      description:
        'a file or folder of text of your own that is right, some thousand words: what is usual there is not doubted, and false alarms are measured on it. Default: as measured for the model.',
    },
    {
      flags: '--threshold <doubt>',
      description: 'instead of --false-alarms: the doubt from which on a word is listed, 0 to 1',
    },
    { flags: '--top-k <number>', description: 'proposals for a word, at most. Default 3.' },
    { flags: '--text <text>', description: 'the text, for one that is also the name of a file or begins with a dash' },
    { flags: '--sarif', description: 'write the findings as SARIF on standard output, for editors and code hosts' },
    ...ENGINE_OPTIONS,
  ],
  examples: [
    'pleiad proofread report.txt',
    'pleiad proofread letters/ --model run/ --own old-letters/ --false-alarms 1%',
    'pleiad proofread docs/ --sarif > proofread.sarif',
    'pleiad proofread --json < report.txt',
  ],

  async run(words, options, { output }) {
    const { model, topK, falseAlarms, threshold } = collectProblems({
      model: () => modelFolder(options.model, BOXED.pair),
      topK: () => wholeNumber('--top-k', options.topK, 1),
      falseAlarms: () => rateOf(options.falseAlarms),
      threshold: () => numberAbove('--threshold', options.threshold, 0, 1),
      sarif: () => refuseTwo(options.sarif === true, output.isJson),
      both: () => refuseBoth(options.threshold, options.falseAlarms),
    });
    const texts = await textsToProofread(words, typeof options.text === 'string' ? options.text : undefined);
    if (texts.every(({ text }) => text.trim() === '')) {
      throw new DataError('there is no word to read', { subject: 'the text', expected: 'at least one word' });
    }
    const own = typeof options.own === 'string' ? await readPaths([options.own]) : undefined;
    return untilInterrupted(output, async (signal) => {
      const loading = { ...engineOptions(options), ...pipelineOptions(options, output) };
      const generatorPlace = typeof options.generator === 'string' ? options.generator : model;
      const discriminator = await loadModelFor(proofreadPipeline.wants, model, loading);
      const reader = await withModel(discriminator, async () => {
        const generator = await loadModelFor(proofreadPipeline.partner!, generatorPlace, loading);
        return withModel(generator, () => proofreaderOf(discriminator, generator));
      });
      try {
        const calibration = own ? await calibrated(reader, own, output, signal) : reader.calibration;
        if (!calibration && threshold === undefined) noteUncalibrated(output, falseAlarms !== undefined);
        const measured =
          calibration && threshold === undefined ? { falseAlarms: falseAlarms ?? USUAL_FALSE_ALARMS } : {};
        const settings = { topK, calibration, ...measured, ...(threshold !== undefined && { threshold }), signal };
        const findings: Finding[] = [];
        const files: object[] = [];
        for (const [i, text] of texts.entries()) {
          output.status(`reading ${text.name}, ${i + 1} of ${texts.length}`);
          const found = await findingsIn(text, reader, settings);
          findings.push(...found.map(({ finding }) => finding));
          files.push({
            file: text.name,
            words: found.map(({ word, finding: { line, column } }) => ({ ...word, line, column })),
          });
          if (!options.sarif) for (const { finding } of found) show(finding, text, output);
        }
        output.endStatus();
        if (options.sarif) process.stdout.write(`${JSON.stringify(sarifLog(findings), null, 2)}\n`);
        else output.note(summaryOf(findings.length, texts, measured.falseAlarms));
        return options.sarif ? {} : { json: { files, ...measured, ...(threshold !== undefined && { threshold }) } };
      } finally {
        await reader.release();
      }
    });
  },
};

/** 1% or 0.01. @throws SettingsError for anything else */
function rateOf(word: string | boolean | undefined): number | undefined {
  if (word === undefined) return undefined;
  const [, digits, percent] = /^([0-9.]+)\s*(%?)$/.exec(String(word)) ?? [];
  const rate = Number(digits) / (percent ? 100 : 1);
  if (rate > 0 && rate < 1) return rate;
  throw new SettingsError([
    `--false-alarms is ${JSON.stringify(word)}; expected a part of the words, such as 1% or 0.01`,
  ]);
}

function refuseTwo(isSarif: boolean, isJson: boolean): void {
  if (isSarif && isJson) throw new SettingsError(['--sarif and --json are both given; give one']);
}

function refuseBoth(threshold: unknown, falseAlarms: unknown): void {
  if (threshold === undefined || falseAlarms === undefined) return;
  throw new SettingsError(['--threshold and --false-alarms are both given; give one']);
}

async function calibrated(reader: Proofreader, own: readonly ReadText[], output: Output, signal: AbortSignal) {
  const onRows = (done: number, all: number) =>
    output.status(`reading your own text: ${Math.round((100 * done) / all)} %`);
  const calibration = await reader.calibrate(own.map(prose), { signal, onRows });
  output.endStatus();
  return calibration;
}

function noteUncalibrated(output: Output, asked: boolean): void {
  if (asked) {
    throw new SettingsError([
      '--false-alarms is given, and nothing says how often this model is wrong; give text of your own that is right (--own)',
    ]);
  }
  output.note(
    'nothing says how often this model is wrong, so words of a doubt of 0.5 and more are listed; with text of your own that is right (--own) it can be measured',
  );
}

interface Found {
  readonly word: DoubtfulWord;
  readonly finding: Finding;
}

async function findingsIn(
  text: ReadText,
  reader: Proofreader,
  settings: Parameters<Proofreader['read']>[1],
): Promise<Found[]> {
  const paragraphs = paragraphsOf(prose(text));
  const lines = new Lines(text.text);
  const found = await reader.read(
    paragraphs.map((paragraph) => paragraph.text),
    settings,
  );
  return found.flatMap((words, i) =>
    words.map((each) => {
      const [start, end] = [each.start + paragraphs[i].start, each.end + paragraphs[i].start];
      const word = { ...each, start, end };
      const { line: endLine, column: endColumn } = lines.placeOf(end);
      const { text: written, doubt, proposals } = word;
      return {
        word,
        finding: { file: text.name, ...lines.placeOf(start), endLine, endColumn, text: written, doubt, proposals },
      };
    }),
  );
}

/** Characters shown before and behind a word. */
const AROUND = 40;

function show({ file, line, column, text: word, doubt, proposals }: Finding, { text }: ReadText, output: Output): void {
  const place = `${file === '-' ? '' : `${file}:`}${line}:${column}`;
  const instead = proposals.map((proposal) => (proposal.text === '' ? '(leave it out)' : proposal.text)).join(', ');
  output.line(
    `${output.style(place, 'bold')}  ${output.style(word, 'red')}  ${doubt.toFixed(2)}${instead ? `  → ${instead}` : ''}`,
  );
  const whole = text.split(/\r\n|\n|\r/)[line - 1] ?? '';
  const [from, to] = [Math.max(0, column - 1 - AROUND), Math.min(whole.length, column - 1 + word.length + AROUND)];
  const before = `${from > 0 ? '…' : ''}${whole.slice(from, column - 1)}`;
  const after = `${whole.slice(column - 1 + word.length, to)}${to < whole.length ? '…' : ''}`;
  output.line(`    ${before}${output.style(word, 'red')}${after}`);
}

function summaryOf(count: number, texts: readonly ReadText[], rate: number | undefined): string {
  const words = texts.reduce((sum, { text }) => sum + (text.match(/\S+/g)?.length ?? 0), 0);
  const expected =
    rate === undefined ? '' : `; of right text ${Number((100 * rate).toPrecision(3))} % of the words would be listed`;
  return `${grouped(count)} of about ${grouped(words)} words listed${expected}`;
}
