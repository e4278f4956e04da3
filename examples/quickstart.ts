/**
 * What the models in the box do, then from eight books to a generator and a discriminator of one's own, in a few minutes: vocabulary, shards,
 * pre-training, evaluation, use. Each step is one call of the library, and one command of `pleiad`.
 *
 *     npm run quickstart
 *     npm run quickstart -- --json         progress to standard error, one JSON object as the last line
 *     npm run quickstart -- --time 20s     a shorter look, which learns less
 *     npm run quickstart -- --out my-run   where to write; it begins anew each time
 *     npm run quickstart -- --help         this
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { EXIT } from '../src/cli/command.js';
import { markedText } from '../src/cli/commands/detect.js';
import { showFillings } from '../src/cli/commands/fillMask.js';
import { listenForInterrupts } from '../src/cli/interrupts.js';
import { duration, grouped, megabytes } from '../src/cli/numbers.js';
import { Output } from '../src/cli/output.js';
import { heldOutSummary, TrainingView } from '../src/cli/trainingView.js';
import { PleiadError, SettingsError } from '../src/errors/errors.js';
import {
  createNodeEngine,
  type DoneEvent,
  type Engine,
  evaluateCheckpoint,
  isHeldOut,
  loadFillMask,
  loadReplacedTokenDetection,
  loadTextCorruption,
  type PretrainingInput,
  prepareCorpus,
  pretrainToFolder,
  saveTokenizer,
  trainVocabulary,
} from '../src/index.node.js';
import { parseDuration } from '../src/settings/durations.js';
import { besideBoxed, useBoxed } from './boxed.js';

const TEXT_FOLDER = fileURLToPath(new URL('../../examples/text/', import.meta.url));
const HELD_OUT_FRACTION = 0.05;

/** Many small steps at a low rate: in minutes the number of updates counts for more than tokens. See docs/results.md. */
const SETTINGS: Partial<PretrainingInput> = {
  recipe: 'none',
  size: 'tiny',
  length: 32,
  batchSize: 32,
  learningRate: 4e-4,
  time: '220s',
  logEvery: 100,
};
const VOCABULARY_SIZE = 4096;

const HELP = `From eight books to a generator and a discriminator that work, in about five minutes.

  npm run quickstart                       vocabulary, shards, pre-training, evaluation, use
  npm run quickstart -- --time 20s         a shorter look, which learns less; default ${SETTINGS.time}
  npm run quickstart -- --out my-run       where to write; it begins anew each time; default runs/quickstart
  npm run quickstart -- --json             progress to standard error, one JSON object as the last line
  npm run quickstart -- --help             this`;

/** What was asked for. @throws SettingsError for flags that are unknown, have no value, or the wrong one */
function readFlags() {
  const options = {
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
    time: { type: 'string' },
    out: { type: 'string', default: 'runs/quickstart' },
  } as const;
  const values = flagsOf(options);
  if (values.time !== undefined && parseDuration(values.time) === undefined) {
    throw new SettingsError([
      `--time is ${JSON.stringify(values.time)}; expected a number and ms, s, m or h, such as 20s`,
    ]);
  }
  if (values.out === '') throw new SettingsError(['--out is empty; expected the folder to write']);
  return values;
}

function flagsOf<T extends NonNullable<ParseArgsConfig['options']>>(options: T) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    // Node's message ends with advice for words that begin with a dash, which is no use here.
    throw new SettingsError([(error as Error).message.split('. To specify')[0]]);
  }
}

async function quickstart(): Promise<number> {
  const values = readFlags();
  const output = new Output(values);
  if (values.help) {
    output.line(HELP);
    return EXIT.success;
  }
  const startedAt = performance.now();
  const heading = (text: string) => output.line(`\n${output.style(text, 'bold')}`);

  const folder = (name: string) => join(values.out, name);
  for (const name of ['vocab', 'shards', 'run']) rmSync(folder(name), { recursive: true, force: true });

  heading('Models in the box');
  const boxed = await useBoxed(output);

  heading('1. Vocabulary');
  const { tokenizer, textBytes } = await trainVocabulary({ inputs: [TEXT_FOLDER], size: VOCABULARY_SIZE });
  await saveTokenizer(tokenizer, folder('vocab'));
  output.line(`${grouped(tokenizer.vocabSize)} word pieces learned from ${megabytes(textBytes)} of text`);

  heading('2. Shards');
  const { manifest } = await prepareCorpus({
    inputs: [TEXT_FOLDER],
    tokenizerDir: folder('vocab'),
    out: folder('shards'),
    heldOutFraction: HELD_OUT_FRACTION,
  });
  output.line(`${grouped(manifest.train.tokens)} tokens to train on, ${grouped(manifest.heldOut.tokens)} held out`);

  heading('3. Pre-training');
  const done = await train(folder('shards'), folder('run'), values.time, output);
  if (done.interrupted) {
    output.line(`Interrupted. Go on with: npx pleiad pretrain --resume --out ${folder('run')}`);
    return EXIT.interrupted;
  }

  const engine = await createNodeEngine();
  try {
    heading('4. Evaluation on text that was held out');
    const { heldOut } = await evaluateCheckpoint(done.checkpoint!, { data: folder('shards'), engine });
    for (const line of heldOutSummary(heldOut)) output.line(line);

    heading('5. Use');
    const used = await use(done.checkpoint!, engine, output);
    if (boxed.pair) {
      heading('6. Minutes beside hours');
      await besideBoxed(done.checkpoint!, done.elapsedMs, engine, output);
    }

    const seconds = (performance.now() - startedAt) / 1000;
    heading(`Done in ${duration(1000 * seconds)}. What next?`);
    for (const line of nextSteps(values.out)) output.line(`  ${line}`);
    output.json({
      seconds,
      boxed,
      heldOut,
      ...used,
      checkpoint: done.checkpoint,
      steps: done.steps,
      weightsSha256: done.weightsSha256,
    });
    return EXIT.success;
  } finally {
    await engine.close();
  }
}

async function train(data: string, out: string, time: string | undefined, output: Output): Promise<DoneEvent> {
  const view = new TrainingView(output);
  const interrupts = listenForInterrupts(() => output.line('interrupted: finishing the step and writing a checkpoint'));
  let done: DoneEvent | undefined;
  try {
    const settings = { ...SETTINGS, data, out, ...(time !== undefined && { time }) };
    for await (const event of pretrainToFolder(settings, { signal: interrupts.signal })) {
      view.show(event);
      if (event.type === 'done') done = event;
    }
  } finally {
    interrupts.stop();
  }
  return done!;
}

const SENTENCES = ['The chef cooked the meal', 'the chef ate the meal'];
const GAPS = ['The chef [MASK] the meal', 'the chef [MASK] the [MASK]', 'She looked at [MASK] and said nothing.'];

/** Shows what the discriminator doubts and what the generator proposes. */
async function use(checkpoint: string, engine: Engine, output: Output) {
  const detector = await loadReplacedTokenDetection(checkpoint, { engine });
  const filler = await loadFillMask(checkpoint, { engine });
  const corrupter = await loadTextCorruption(checkpoint, { engine });

  output.line('detect: how probable it is that each word was replaced');
  const sentences = [];
  for (const text of SENTENCES) {
    const tokens = await detector.detect(text);
    output.line(`  ${tokens.map(({ token, replaced }) => `${token} ${replaced.toFixed(2)}`).join('  ')}`);
    sentences.push({ text, tokens });
  }

  output.line('\nfill-mask: what the generator would put there');
  const filled = await filler.fill(GAPS, { topK: 3 });
  for (const result of filled) showFillings(result, output);

  output.line('\ndetect on held-out sentences in which the generator replaced words:');
  const corrupted = [];
  for (const [seed, original] of heldOutSentences(4).entries()) {
    const { text, replacements } = await corrupter.corrupt(original, { fraction: 0.2, seed });
    const tokens = await detector.detect(text);
    const probability = (at: number) => tokens.find(({ start, end }) => start <= at && at < end)?.replaced ?? 0;
    output.line(`  ${markedText(text, tokens, output)}`);
    for (const { start, original: word, replacement } of replacements) {
      output.line(`    ${word} → ${replacement}: probability of being replaced ${probability(start).toFixed(2)}`);
    }
    const isReplaced = (at: number) => replacements.some(({ start, end }) => start <= at && at < end);
    const untouched = tokens.filter(({ start }) => !isReplaced(start));
    const mean = untouched.reduce((sum, { replaced }) => sum + replaced, 0) / Math.max(1, untouched.length);
    output.line(output.style(`    the other words on average: ${mean.toFixed(2)}`, 'dim'));
    corrupted.push({ original, text, replacements, tokens });
  }
  await Promise.all([detector.release(), filler.release(), corrupter.release()]);
  return { detected: sentences[1].tokens, sentences, filled, corrupted };
}

/** Sentences of the documents that `prepareCorpus` held out, from all over the text. */
function heldOutSentences(count: number): string[] {
  const documents = readdirSync(TEXT_FOLDER)
    .filter((name) => name.endsWith('.txt.gz'))
    .sort()
    .flatMap((name) =>
      gunzipSync(readFileSync(join(TEXT_FOLDER, name)))
        .toString('utf8')
        .split(/\n[ \t\r\v\f]*\n/),
    );
  const sentences = documents
    .filter((document) => isHeldOut(document, HELD_OUT_FRACTION))
    .flatMap((document) => document.split(/(?<=[.!?])\s+/))
    .filter((sentence) => /^[A-Z][^"]{60,120}\.$/.test(sentence));
  return Array.from({ length: count }, (_, i) => sentences[Math.floor((i * sentences.length) / count)]);
}

function nextSteps(out: string): string[] {
  const run = join(out, 'run');
  return [
    `npx pleiad detect --model ${run} "your own sentence"`,
    `npx pleiad fill-mask --model ${run} "your own [MASK]"`,
    `npx pleiad serve ${run}                           behind a port, for clients that exist`,
    `npx pleiad info ${run}`,
    `tensorboard --logdir ${run}                         the curves`,
    'npx pleiad vocab your-texts/ --out vocab/            your own language and texts:',
    'npx pleiad prepare your-texts/ --tokenizer vocab/ --out shards/',
    'npx pleiad pretrain --data shards/ --out run/ --size mini --length 64 --time 20m',
    `Running the quickstart again begins anew; move ${out} away, or use --out, to keep this run.`,
  ];
}

/** What a person can act on is said in a sentence; anything else is ours to mend and keeps its stack. */
async function main(): Promise<number> {
  try {
    return await quickstart();
  } catch (error) {
    if (!(error instanceof PleiadError)) throw error;
    const isUsage = error instanceof SettingsError;
    process.stderr.write(`quickstart: ${error.message}\n${isUsage ? `\n${HELP}\n` : ''}`);
    return isUsage ? EXIT.usage : EXIT.failure;
  }
}

process.exitCode = await main();
