/** Calibrates, measures and describes a model that was packed: config.json, README.md, and the package's index. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { QUESTION_ANSWERING_FILE } from '../../src/hub/modelFiles.js';
import { say } from '../report.js';
import { PACKAGE, readSettings, sizeOf } from './build.js';
import {
  type FigureOptions,
  type PairFigures,
  pairFigures,
  type QuestionFigures,
  questionFigures,
  type SpanFigures,
  spanFigures,
} from './figures.js';
import { loadReader } from './proofreading.js';

export interface DescribeOptions extends Omit<FigureOptions, 'model'> {
  /** A file of models/settings/, without its ending. */
  readonly name: string;
  /** The folder of the package. */
  readonly out: string;
  /** The run that was packed, in float32: what 8 bits cost is measured against it. */
  readonly run?: string;
  /** Minutes that the training took, for the card. */
  readonly minutes?: number;
}

export type Figures = PairFigures | QuestionFigures | SpanFigures;

export interface Described {
  readonly name: string;
  readonly figures: Figures;
  readonly float?: Figures;
}

const isPair = (folder: string) => existsSync(join(folder, 'discriminator'));

/** @returns the figures of each model of the settings; the last one's also in float32 */
export async function describeBox(options: DescribeOptions): Promise<Described[]> {
  const { name, out, run, corpus } = options;
  const names = Object.keys(readSettings(name).models);
  const described: Described[] = [];
  for (const model of names) {
    const folder = join(out, model);
    const own = join(corpus, 'train/leipzig.txt');
    if (isPair(folder) && existsSync(own)) await calibrateFolder(folder, own);
    const measure = measureOf(folder);
    const figures = await measure({ ...options, model: folder });
    const float = run !== undefined && model === names.at(-1) ? await measure({ ...options, model: run }) : undefined;
    described.push({ name: model, figures, ...(float && { float }) });
    writeFileSync(join(folder, 'README.md'), cardOf(model, described.at(-1)!, options));
    say(`${model}: ${join(folder, 'README.md')}`);
  }
  writeIndex(out);
  return described;
}

type Measure = (options: FigureOptions) => Promise<Figures>;

/** By what a model is for. */
function measureOf(folder: string): Measure {
  if (isPair(folder)) return pairFigures;
  return existsSync(join(folder, QUESTION_ANSWERING_FILE)) ? questionFigures : spanFigures;
}

/** False alarms of the proofreader, on sentences that the weights have seen: the held-out ones judge it. */
async function calibrateFolder(folder: string, own: string): Promise<void> {
  const reader = await loadReader(folder);
  const calibration = await reader.calibrate([readFileSync(own, 'utf8')]);
  await reader.release();
  const path = join(folder, 'discriminator', 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  const changed = { ...config, pleiad: { ...config.pleiad, proofread: calibration } };
  writeFileSync(path, `${JSON.stringify(changed, null, 2)}\n`);
}

/** The models that lie in the package, those meant for use before those for show. */
const ORDER = ['pleiad-en', 'pleiad-en-qa', 'pleiad-ko', 'pleiad-en-span'];
const SUMMARIES: readonly (readonly [RegExp, string, language: string, pipelines: readonly string[]])[] = [
  [
    /^pleiad-en$/,
    'an English ELECTRA pair: detects, fills gaps, proofreads, starts trainings',
    'en',
    ['replaced-token-detection', 'fill-mask', 'proofread', 'zero-shot-classification'],
  ],
  [/^pleiad-en-qa$/, 'answers English questions from a text', 'en', ['question-answering']],
  [/^pleiad-en-span$/, 'an English SpanBERT with both of its heads: fills spans', 'en', ['fill-span', 'fill-mask']],
  [/^pleiad-ko$/, 'a Korean ELECTRA pair', 'ko', ['replaced-token-detection', 'fill-mask', 'proofread']],
  [/^pleiad-tiny-ko$/, 'a tiny Korean ELECTRA pair', 'ko', ['replaced-token-detection', 'fill-mask']],
  [
    /^pleiad-tiny-\d+$/,
    'a tiny English ELECTRA pair at one step of its training',
    'en',
    ['replaced-token-detection', 'fill-mask'],
  ],
];

export function writeIndex(out: string): void {
  const path = join(out, 'index.json');
  const known: { models?: { name: string }[] } = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
  const settings = readdirSync(join(PACKAGE, 'settings')).map((file) => file.replace(/\.yaml$/, ''));
  const names = new Set([
    ...(known.models ?? []).map(({ name }) => name),
    ...settings.flatMap((name) => Object.keys(readSettings(name).models)),
  ]);
  const rank = (name: string) =>
    ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length + Number(/\d+$/.exec(name)?.[0] ?? 1000);
  const models = [...names]
    .filter((name) => existsSync(join(out, name, 'README.md')))
    .sort((a, b) => rank(a) - rank(b))
    .map((name) => {
      const [, summary, language, pipelines] = SUMMARIES.find(([pattern]) => pattern.test(name))!;
      const card = readFileSync(join(out, name, 'README.md')).length;
      return { name, summary, language, pipelines, bytes: sizeOf(join(out, name)).bytes + card };
    });
  writeFileSync(path, `${JSON.stringify({ format: 'pleiad-models', version: 1, models }, null, 2)}\n`);
}

const three = (value: number) => value.toFixed(3);

const MEASURING = 'Never seen: what is for measuring alone (KorQuAD, MRPC, CoNLL-2000, SST-2, CoLA, RTE, SQuADShifts).';
const ENGLISH_DATA = [
  '18.2 MB of English: 73 articles of Wikipedia (CC BY-SA 3.0), WikiText-2 test articles (CC BY-SA 3.0), 8,000 sentences of the Leipzig Corpora Collection (eng_wikipedia_2016, CC BY 4.0), paragraphs of SQuAD 1.1 and 2.0 (CC BY-SA 4.0), every third stretch of 28 books in the public domain.',
  `Held out: the last 8 articles, the last 1,000 Leipzig sentences, the last two books by name. ${MEASURING}`,
];
const KOREAN_DATA = [
  "16.8 MB of Korean: national petitions of April to July 2019 (public-sector work, KOGL type 1), reviews of the Naver sentiment movie corpus without their labels (CC0), sentences of UD Korean Kaist (CC BY-SA 4.0). Petitions and reviews are citizens' writing, sometimes angry.",
  `Held out: the petitions of August 2019, NSMC's test reviews. ${MEASURING}`,
];

function cardOf(name: string, described: Described, { name: settings, out, minutes, limit }: DescribeOptions): string {
  const [, summary, language, pipelines] = SUMMARIES.find(([pattern]) => pattern.test(name))!;
  const { sha256 } = sizeOf(join(out, name));
  const { pretrain, prune, finetune = [] } = readSettings(settings);
  const fromMiniLm = pretrain?.from !== undefined || prune !== undefined || finetune.length > 0;
  const step = /^pleiad-tiny-(\d+)$/.exec(name)?.[1];
  return [
    '---',
    'license: cc-by-sa-4.0',
    `language: ${language}`,
    'library_name: pleiad',
    'tags:',
    ...pipelines.map((pipeline) => `  - ${pipeline}`),
    '---',
    '',
    `# ${name}`,
    '',
    `${summary[0].toUpperCase()}${summary.slice(1)}.${step ? ` This one after ${step} % of its steps.` : ''} In 8 bits, for [pleiad](https://www.npmjs.com/package/pleiad): \`--model ${name}\`, with no download.`,
    '',
    '## Data',
    '',
    ...(finetune.length > 0
      ? [
          'Parts of SQuAD 1.1 (12,498 questions), CC BY-SA 4.0, Rajpurkar et al. It always answers: every question that it learned from has an answer.',
        ]
      : language === 'ko'
        ? KOREAN_DATA
        : ENGLISH_DATA),
    '',
    '## Figures',
    '',
    ...figuresOf(described),
    '',
    '## Changes',
    '',
    ...(fromMiniLm
      ? [
          "Trained further from [all-MiniLM-L6-v2](https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2) of sentence-transformers, which is distilled from Microsoft's MiniLM and has the vocabulary of Google's BERT; all three Apache-2.0. Its weights were changed by the training that is described here, and rounded to 8 bits; heads are new. The licence text of Apache-2.0 is at https://www.apache.org/licenses/LICENSE-2.0.",
        ]
      : ['Trained from random weights, and rounded to 8 bits.']),
    'The weights are passed on under CC BY-SA 4.0, as text under that licence went into them.',
    '',
    '## How it was made',
    '',
    `\`npm run bench -- box ${settings}\`, by \`models/settings/${settings}.yaml\`${minutes === undefined ? '' : `, in ${minutes} minutes of one core`}; measured and described by \`npm run bench -- describe-box ${settings}${limit === undefined ? '' : ` --limit ${limit}`}\`. SHA-256 of its files but this one: \`${sha256}\`.`,
    '',
  ].join('\n');
}

function figuresOf({ figures, float }: Described): string[] {
  if ('xquad' in figures) {
    const of = (value: QuestionFigures) => [three(value.xquad.f1), three(value.xquad.exactMatch)];
    const [here, before] = [of(figures), float && 'xquad' in float ? of(float) : undefined];
    const rows = ['XQuAD English, F1', 'XQuAD English, exact match'];
    return [
      ...figureTable(rows, here, before),
      '',
      `"What is machine learning?" of the README's text: ${JSON.stringify(figures.book.answer)}, ${three(figures.book.score)}.`,
    ];
  }
  if ('spans' in figures) {
    const of = ({ mlmLoss, sboLoss, oneWord }: SpanFigures) => [mlmLoss, sboLoss, oneWord].map(three);
    const [here, before] = [of(figures), float && 'spans' in float ? of(float) : undefined];
    const rows = [
      'held-out articles, spans of 1 to 10 words: masked LM, nats a piece',
      'the same by the boundary objective',
      'spans of one word that both together get right',
    ];
    return figureTable(rows, here, before);
  }
  const of = ({ heldOut, sentences, zeroShotSst2, proofread }: PairFigures) => {
    return [
      ['held-out text: AUC against its own generator', three(heldOut.auc)],
      ['held-out text: accuracy of the generator', three(heldOut.generatorAccuracy)],
      ...(proofread ? foundErrors(proofread) : []),
      ...(sentences
        ? [['ten sentences (bench/box/sentences.json): as a reader judges', `${sentences.right} of ${sentences.of}`]]
        : []),
      ...(zeroShotSst2 ?? []).map(({ prompt, accuracy }) => [
        `SST-2 without examples, accuracy: "${prompt}"`,
        three(accuracy),
      ]),
    ];
  };
  const [here, before] = [of(figures), float && 'heldOut' in float ? of(float) : undefined];
  const values = (rows: string[][]) => rows.map(([, value]) => value);
  return figureTable(
    here.map(([what]) => what),
    values(here),
    before && values(before),
  );
}

const figureTable = (rows: readonly string[], int8: readonly string[], float32?: readonly string[]): string[] => [
  `| | int8 |${float32 ? ' float32 |' : ''}`,
  `|---|---:|${float32 ? '---:|' : ''}`,
  ...rows.map((row, i) => `| ${row} | ${int8[i]} |${float32 ? ` ${float32[i]} |` : ''}`),
];

function foundErrors(rows: NonNullable<PairFigures['proofread']>): string[][] {
  const row = (judge: string, kind: string) => rows.find((each) => each.judge === judge && each.kind === kind)!;
  return [
    ['planted swaps: AUC over words, discriminator alone', three(row('discriminator alone', 'swap').auc)],
    ['planted swaps: AUC over words, pair', three(row('pair', 'swap').auc)],
    ...(['swap', 'letters', 'missing', 'doubled'] as const).map((kind) => [
      `proofread, found at 1 and 5 false alarms in 100 words: ${kind}`,
      row('pair', kind)
        .found.filter(({ rate }) => rate !== 0.02)
        .map(({ recall }) => recall.toFixed(2))
        .join(', '),
    ]),
  ];
}
