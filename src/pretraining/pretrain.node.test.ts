import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadModelFolder } from '../checkpoint/modelFolder.node.js';
import { checkpointOf } from '../checkpoint/runFile.node.js';
import { prepareCorpus } from '../data/prepare/prepareCorpus.node.js';
import { openShards } from '../data/shards.node.js';
import type { Engine } from '../engine/engine.js';
import { createInterpreterEngine } from '../engine/interpreterEngine.js';
import { DataError } from '../errors/errors.js';
import { writeSafetensors } from '../formats/safetensors.node.js';
import { loadFillMask, loadReplacedTokenDetection } from '../pipelines/load.node.js';
import { RandomStream } from '../random/philox.js';
import { WordPieceTokenizer } from '../text/tokenizer.js';
import { saveTokenizer } from '../text/tokenizer.node.js';
import type { DoneEvent, TrainingEvent } from '../training/events.js';
import { evaluateCheckpoint } from './evaluateRun.node.js';
import { type PretrainOptions, pretrainToFolder } from './pretrain.node.js';
import type { PretrainingInput } from './settings.js';

const folder = mkdtempSync(join(tmpdir(), 'pretrain-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SUBJECTS = ['the chef', 'a dog', 'my friend', 'the child'];
const VERBS = ['cooked', 'ate', 'saw', 'liked'];
const OBJECTS = ['the meal', 'a fish', 'the soup', 'some bread'];
const WORDS = [...new Set([...SUBJECTS, ...VERBS, ...OBJECTS].flatMap((text) => text.split(' '))), '.'];

async function prepareShards(name: string, seed: number): Promise<string> {
  const random = new RandomStream(seed, 'test');
  const pick = (list: readonly string[]) => list[random.integer(list.length)];
  const sentence = () => `${pick(SUBJECTS)} ${pick(VERBS)} ${pick(OBJECTS)} .`;
  const documents = Array.from({ length: 200 }, () => Array.from({ length: 8 }, sentence).join('\n'));
  const root = join(folder, name);
  mkdirSync(root);
  writeFileSync(join(root, 'text.txt'), `${documents.join('\n\n')}\n`);
  const tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...WORDS];
  await saveTokenizer(WordPieceTokenizer.fromVocabulary(tokens), join(root, 'tokenizer'));
  const out = join(root, 'shards');
  await prepareCorpus({
    inputs: [join(root, 'text.txt')],
    tokenizerDir: join(root, 'tokenizer'),
    out,
    workers: 0,
    heldOutFraction: 0.1,
  });
  return out;
}

let shards: string;
beforeAll(async () => {
  shards = await prepareShards('first', 1);
});

const small = {
  size: 'tiny',
  model: {
    hiddenSize: 32,
    numAttentionHeads: 2,
    numHiddenLayers: 1,
    intermediateSize: 64,
    embeddingSize: 16,
    maxPositionEmbeddings: 32,
  },
  length: 32,
  batchSize: 8,
  steps: 12,
  learningRate: 2e-3,
  evaluateBatches: 2,
  checkpointEvery: 3,
  logEvery: 1,
  threads: 1,
} satisfies Partial<PretrainingInput>;

/** BERT has no embedding projection. */
const bert = { ...small.model, embeddingSize: small.model.hiddenSize };

async function train(
  change: Partial<PretrainingInput>,
  options: PretrainOptions = {},
  onEvent: (event: TrainingEvent) => void = () => {},
): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = [];
  for await (const event of pretrainToFolder(change, options)) {
    events.push(event);
    onEvent(event);
  }
  return events;
}
const done = (events: TrainingEvent[]) => events.at(-1) as DoneEvent;

describe('pre-training from shards to a run folder', () => {
  it('learns, and leaves model folders with exactly the published tensors, and their tokenizer', async () => {
    const out = join(folder, 'learns');
    const { metrics: heldOut } = done(
      await train({ ...small, data: shards, out, steps: 150, checkpointEvery: 150, evaluateEvery: 150, logEvery: 50 }),
    );
    expect(heldOut!.generatorLoss!).toBeLessThan(heldOut!.unigramCrossEntropy!);
    expect(heldOut!.unigramEntropy!).toBeLessThan(heldOut!.unigramCrossEntropy!);
    expect(heldOut!.rtdAuc!).toBeGreaterThan(0.5);
    expect(heldOut!.discriminatorLoss!).toBeLessThan(heldOut!.replacedEntropy! + 0.05);
    for (const half of ['generator', 'discriminator']) {
      const model = loadModelFolder(join(checkpointOf(out, 'best'), half));
      expect(model.config.vocabSize).toBe(5 + WORDS.length);
      expect(model.tokenizer!.tokens).toContain('chef');
      expect(model.pleiad).toMatchObject({ objective: 'electra', step: 150 });
    }
    const table = 'electra.embeddings.word_embeddings.weight';
    const [generator, discriminator] = ['generator', 'discriminator'].map((half) =>
      loadModelFolder(join(checkpointOf(out, 'best'), half)),
    );
    expect(generator.tensors.get(table)).toEqual(discriminator.tensors.get(table));
  });

  it('counts its time by the clock that it is given', async () => {
    const out = join(folder, 'clock');
    let time = 0;
    // A second a step, whatever the machine does.
    const events = await train({ ...small, data: shards, out, steps: 3 }, { now: () => time }, ({ type }) => {
      if (type === 'step') time += 1000;
    });
    const elapsed = events.flatMap((event) => (event.type === 'step' ? [event.elapsedMs] : []));
    expect(elapsed).toEqual([0, 1000, 2000]);
    expect(done(events).elapsedMs).toBe(3000);
  });

  it('gives a generator that shares nothing embeddings as wide as itself', async () => {
    const out = join(folder, 'untied');
    const model = { ...small.model, embeddingSize: 24 };
    await train({ ...small, model, data: shards, out, steps: 1, sharing: 'none' });
    const { config, tensors } = loadModelFolder(join(checkpointOf(out, 'latest'), 'generator'));
    expect([config.hiddenSize, config.embeddingSize]).toEqual([16, 16]);
    expect(tensors.get('electra.embeddings.word_embeddings.weight')!.shape).toEqual([5 + WORDS.length, 16]);
    expect(tensors.has('electra.embeddings_project.weight')).toBe(false);
  });

  const OBJECTIVES: readonly Partial<PretrainingInput>[] = [
    { objective: 'electra-15' },
    { objective: 'replace-mlm' },
    { objective: 'all-tokens-mlm' },
    { objective: 'mlm' },
    { objective: 'two-stage' },
    { objective: 'spanbert', model: bert },
    { objective: 'spanbert', model: bert, nextSentence: true, edgeSpans: 'special', hiddenDropout: 0.1 },
  ];
  it.each(OBJECTIVES.map((settings, i) => ({ i, ...settings })))(
    'runs and resumes to the same bits: $objective ($i)',
    async ({ i, ...objective }) => {
      const of = (name: string) => ({
        ...small,
        data: shards,
        ...objective,
        accumulation: 2,
        out: join(folder, `${objective.objective}-${i}-${name}`),
      });
      const whole = done(await train(of('whole')));
      const stop = new AbortController();
      const interrupted = await train(of('parts'), { signal: stop.signal }, (event) => {
        if (event.type === 'step' && event.step === 7) stop.abort();
      });
      expect(done(interrupted)).toMatchObject({ interrupted: true, step: 7 });
      // Only the folder is needed: all else is as the run began.
      const resumed = done(await train({ out: of('parts').out, resume: true }));
      expect(resumed.weightsSha256).toBe(whole.weightsSha256);
      expect(resumed.metrics).toEqual(whole.metrics);
      // Whether the loss can be compared with a baseline of predicted pieces: all-tokens-mlm may copy most of them.
      const share = { 'all-tokens-mlm': 1, 'replace-mlm': expect.closeTo(0.15, 1) }[objective.objective as string];
      expect(whole.metrics!.mlmShare).toEqual(share);
    },
  );

  it('learns to predict spans from themselves and from their boundaries, and leaves a BERT with its boundary head', async () => {
    const out = join(folder, 'spanbert');
    const events = await train({
      ...small,
      data: shards,
      out,
      objective: 'spanbert',
      model: bert,
      length: 24,
      steps: 200,
      checkpointEvery: 200,
      evaluateEvery: 100,
      logEvery: 50,
    });
    const { metrics: heldOut } = done(events);
    const { unigramCrossEntropy, mlmLoss, sboLoss, sboBits, totalLoss } = heldOut!;
    expect(mlmLoss!).toBeLessThan(0.9 * unigramCrossEntropy!);
    expect(sboLoss!).toBeLessThan(0.9 * unigramCrossEntropy!);
    expect(sboBits).toBeCloseTo(sboLoss! / Math.LN2, 10);
    expect(totalLoss).toBeCloseTo(mlmLoss! + sboLoss!, 10);
    const model = loadModelFolder(join(checkpointOf(out, 'best'), 'model'));
    expect(model).toMatchObject({
      architecture: 'BertForMaskedLM',
      spanBoundary: { maxSpanTargets: 15, positionSize: 200, endpoints: 'external', edgeSpans: 'drop' },
    });
    expect(model.tensors.get('sbo.position_embeddings.weight')!.shape).toEqual([15, 200]);
  });

  it('applies dropout from the position, so that a resumed run drops the same', async () => {
    const of = (name: string) => ({
      ...small,
      data: shards,
      hiddenDropout: 0.1,
      attentionDropout: 0.1,
      steps: 6,
      out: join(folder, `dropout-${name}`),
    });
    const whole = done(await train(of('whole')));
    const stop = new AbortController();
    await train(of('parts'), { signal: stop.signal }, (event) => {
      if (event.type === 'step' && event.step === 2) stop.abort();
    });
    expect(done(await train({ out: of('parts').out, resume: true })).weightsSha256).toBe(whole.weightsSha256);
  });

  it('refuses to resume with another size or another corpus, naming both', async () => {
    const out = join(folder, 'refuses');
    await train({ ...small, data: shards, out, steps: 3 });
    await expect(train({ out, resume: true, batchSize: 16 })).rejects.toThrow(
      'batchSize was 8 when the run began and is 16 now',
    );
    const other = await prepareShards('second', 2);
    await expect(train({ out, resume: true, data: other })).rejects.toThrow(
      /corpus is \w+ in the checkpoint and \w+ now/,
    );
  });

  it('takes a setting that is newer than the run as left out', async () => {
    const out = join(folder, 'older');
    await train({ ...small, data: shards, out, steps: 3 });
    const path = join(out, 'run.json');
    const file = JSON.parse(readFileSync(path, 'utf8'));
    delete file.settings.temperature;
    writeFileSync(path, JSON.stringify(file));
    await expect(train({ out, resume: true, steps: 4, temperature: 2 })).rejects.toThrow(
      'temperature was 1 when the run began and is 2 now',
    );
    expect(done(await train({ out, resume: true, steps: 4 }))).toMatchObject({ step: 4 });
  });

  it('goes on without a recipe where the run is from before there was one by default, and records that', async () => {
    const out = join(folder, 'before-recipes');
    await train({ ...small, recipe: 'none', steps: 3, data: shards, out });
    const path = join(out, 'run.json');
    const withoutRecipe = ({ recipe, ...others }: Record<string, unknown>) => others;
    const run = JSON.parse(readFileSync(path, 'utf8'));
    expect(run.given.recipe).toBe('none');
    writeFileSync(
      path,
      JSON.stringify({ ...run, given: withoutRecipe(run.given), settings: withoutRecipe(run.settings) }),
    );
    await train({ out, resume: true, moreSteps: 3 });
    const { given, settings } = JSON.parse(readFileSync(path, 'utf8'));
    expect([given.recipe, settings.recipe, settings.steps]).toEqual(['none', 'none', 6]);
    await expect(train({ out, resume: true, moreSteps: 3, recipe: 'short' })).rejects.toThrow(/recipe was "none"/);
  });

  it('goes on with what its recipe set when it began, where the recipe has other values by now', async () => {
    const out = join(folder, 'recipe-of-then');
    const { length, batchSize, ...others } = small;
    const model = { ...small.model, maxPositionEmbeddings: 128 };
    await train({ ...others, model, recipe: 'short', steps: 3, data: shards, out });
    const path = join(out, 'run.json');
    const run = JSON.parse(readFileSync(path, 'utf8'));
    const { accumulationStart, ...settings } = run.settings;
    expect([settings.maskProbEnd, accumulationStart, settings.batchSize]).toEqual([0.15, 1, 32]);
    const then = { ...settings, maskProbEnd: 0.2, batchSize: 4 };
    writeFileSync(path, JSON.stringify({ ...run, settings: then }));
    await train({ out, resume: true, steps: 4 });
    expect(JSON.parse(readFileSync(path, 'utf8')).settings).toEqual({ ...then, resume: true, steps: 4 });
  });

  it('refuses the folder of the shards as that of the run, also under another name', async () => {
    const link = join(folder, 'link');
    symlinkSync(shards, link);
    for (const out of [shards, join(shards, '.', '..', 'shards'), link]) {
      await expect(train({ ...small, data: shards, out })).rejects.toThrow(
        `data and out are both ${out}; expected another folder for the run than that of the shards`,
      );
    }
    expect(existsSync(join(shards, 'run.json'))).toBe(false);
  });

  it('writes a log line for each event', async () => {
    const out = join(folder, 'logs');
    const events = await train({ ...small, data: shards, out, steps: 3 });
    const lines = readFileSync(join(out, 'metrics.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ type }) => type)).toEqual(events.map(({ type }) => type));
  });
});

/** Flips the lowest bit of a file's last byte. */
function flipLastBit(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length - 1] ^= 1;
  writeFileSync(path, bytes);
}

const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

describe('shards that are not as they were written', () => {
  let data: string;
  let out: string;
  beforeEach(() => {
    data = mkdtempSync(join(folder, 'shards-'));
    cpSync(shards, data, { recursive: true });
    out = join(data, 'run');
  });

  /** Everything is refused before a run is begun. */
  async function refusal(): Promise<string> {
    const error = await train({ ...small, data, out }).catch((caught) => caught);
    expect(error).toBeInstanceOf(DataError);
    expect(existsSync(out)).toBe(false);
    return error.message;
  }

  it.each(['train-00000.safetensors', 'heldout-00000.safetensors'])('a flipped bit in %s is found', async (name) => {
    const path = join(data, name);
    const before = sha256(path);
    flipLastBit(path);
    expect(await refusal()).toContain(`${path} has SHA-256 ${sha256(path)}, the manifest says ${before}`);
  });

  it('an empty one is found', async () => {
    writeFileSync(join(data, 'train-00000.safetensors'), '');
    expect(await refusal()).toMatch(/train-00000\.safetensors has 0 bytes, expected \d+/);
  });

  it('another tokenizer among them is found', async () => {
    const other = WordPieceTokenizer.fromVocabulary(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...WORDS, 'one']);
    await saveTokenizer(other, join(data, 'tokenizer'));
    expect(await refusal()).toContain(
      `${join(data, 'tokenizer')} holds tokenizer ${other.hash()}, the shards beside it`,
    );
  });

  it('token counts that are not theirs are found', async () => {
    const { manifest } = await openShards(data);
    const counts = new Float64Array(manifest.vocabSize).fill(1);
    const tensor = { dtype: 'F64', shape: [counts.length], data: counts } as const;
    await writeSafetensors(join(data, 'unigram.safetensors'), [
      { name: 'train', ...tensor },
      { name: 'held_out', ...tensor },
    ]);
    const { tokens } = manifest.heldOut;
    expect(await refusal()).toContain(
      `counts ${counts.length} tokens of ${counts.length} kinds; the manifest says ${tokens} of ${counts.length}`,
    );
  });

  it.each([
    [{ version: 2 }, /manifest\.json is of version 2, expected 1\. Use the version of Pleiad that wrote it/],
    [{ train: { documents: 1, tokens: 1, shards: 'none' } }, /manifest\.json is not a manifest: train\.shards: /],
    ...['../first/shards/train-00000.safetensors', '..', '.', 'a\\b', '/etc/passwd'].map((file) => [
      { train: { documents: 1, tokens: 1, shards: [{ file, documents: 1, tokens: 1, bytes: 1, sha256: '' }] } },
      /manifest\.json is not a manifest: train\.shards\.0\.file: expected the name of a file in this folder/,
    ]),
  ] as [object, RegExp][])('a manifest with %j is refused', async (change, message) => {
    const path = join(data, 'manifest.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }));
    expect(await refusal()).toMatch(message);
  });
});

describe('a checkpoint that is not as it was written', () => {
  let checkpoint: string;
  let engine: Engine;
  beforeAll(async () => {
    engine = createInterpreterEngine();
    const out = join(folder, 'damaged');
    await train({ ...small, data: shards, out, steps: 2 });
    checkpoint = checkpointOf(out, 'best');
  });
  afterAll(() => engine.close());

  const evaluate = () => evaluateCheckpoint(checkpoint, { data: shards, engine, maxBatches: 1 });
  const detect = (model = checkpoint) => loadReplacedTokenDetection(model, { engine }).then((it) => it.release());
  const fill = (model = checkpoint) => loadFillMask(model, { engine }).then((it) => it.release());

  it('is evaluated and used by nobody; file and both hashes are named; its other half can be used', async () => {
    await evaluate();
    await detect();
    const weights = join(checkpoint, 'discriminator', 'model.safetensors');
    const before = sha256(weights);
    flipLastBit(weights);
    const message = `${checkpoint} is not as it was written: discriminator/model.safetensors has SHA-256 ${sha256(weights)}, expected ${before}`;
    await expect(evaluate()).rejects.toThrow(message);
    await expect(detect()).rejects.toThrow(message);
    await expect(detect(join(checkpoint, 'discriminator'))).rejects.toThrow(message);
    await fill();
    flipLastBit(weights);
    await detect();
  });

  it('is told by each of its files', async () => {
    const config = join(checkpoint, 'generator', 'config.json');
    const text = readFileSync(config, 'utf8');
    writeFileSync(config, `${text} `);
    await expect(fill()).rejects.toThrow(/generator\/config\.json has \d+ bytes, expected \d+\. Put the file back/);
    writeFileSync(config, text);
    flipLastBit(join(checkpoint, 'trainer.safetensors'));
    await expect(evaluate()).rejects.toThrow('trainer.safetensors has SHA-256 ');
    await fill();
    flipLastBit(join(checkpoint, 'trainer.safetensors'));
  });

  it('may be changed in a copy, for which no trainer.json vouches', async () => {
    const copy = join(folder, 'copy');
    cpSync(join(checkpoint, 'generator'), copy, { recursive: true });
    writeFileSync(join(copy, 'config.json'), `${readFileSync(join(copy, 'config.json'), 'utf8')} `);
    await fill(copy);
  });
});
