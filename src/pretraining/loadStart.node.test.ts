import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ModelDescription, parametersOf } from '../checkpoint/modelFolder.js';
import { loadModelFolder, saveModelFolder } from '../checkpoint/modelFolder.node.js';
import { openTensors } from '../checkpoint/openTensors.node.js';
import { checkpointOf, readRunFile } from '../checkpoint/runFile.node.js';
import { expectedGolden, goldenPath, temporaryFolder } from '../checkpoint/testCheckpoints.js';
import { readTrainerFile } from '../checkpoint/trainerFile.node.js';
import { memoryCollectives } from '../collective/memoryCollective.js';
import { prepareCorpus } from '../data/prepare/prepareCorpus.node.js';
import { createInterpreterEngine } from '../engine/interpreterEngine.js';
import { COMMIT, NEXT_COMMIT, TestHub } from '../hub/testHub.node.js';
import type { Architecture, EncoderConfig } from '../models/config.js';
import { loadFillMask } from '../pipelines/load.node.js';
import { locateTokenizer } from '../pretrained/locateTokenizer.node.js';
import { fromPretrained, tokenizerFromPretrained } from '../pretrained/pretrained.node.js';
import { RandomStream } from '../random/philox.js';
import { WordPieceTokenizer } from '../text/tokenizer.js';
import { loadTokenizer, saveTokenizer } from '../text/tokenizer.node.js';
import type { DoneEvent, EvaluationEvent, LoadedEvent, StepEvent, TrainingEvent } from '../training/events.js';
import type { TrainingRunFile } from '../training/runFolder.node.js';
import { evaluateCheckpoint } from './evaluateRun.node.js';
import { loadStartModels, type PretrainOptions, pretrainToFolder } from './loadStart.node.js';
import { type PretrainingInput, resolvePretrainingSettings } from './settings.js';

const temporary = temporaryFolder('start');
afterAll(() => temporary.remove());
const at = (name: string) => join(temporary.path, name);

const WORDS = ['the', 'a', 'chef', 'dog', 'cooked', 'ate', 'saw', 'meal', 'fish', 'soup', '.'];
const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
const TOKENIZER = WordPieceTokenizer.fromVocabulary([...SPECIAL, ...WORDS]);

const SIZES: EncoderConfig = {
  vocabSize: TOKENIZER.vocabSize,
  embeddingSize: 8,
  hiddenSize: 16,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  intermediateSize: 24,
  maxPositionEmbeddings: 32,
  typeVocabSize: 2,
  layerNormEps: 1e-12,
  hiddenDropoutProb: 0.1,
  attentionProbsDropoutProb: 0.1,
  initializerRange: 0.02,
  padTokenId: 0,
};
const NARROW = { ...SIZES, hiddenSize: 8, intermediateSize: 32 };
const BERT = { ...SIZES, embeddingSize: SIZES.hiddenSize };

/** A model folder as others publish them: a class, sizes, weights that a seed and a name decide. */
async function publish(
  name: string,
  architecture: Architecture,
  config: EncoderConfig,
  {
    seed = 1,
    change,
    tokenizer = TOKENIZER,
    ...more
  }: Partial<ModelDescription> & {
    seed?: number;
    tokenizer?: WordPieceTokenizer | null;
    change?: (name: string, data: Float32Array) => void;
  } = {},
): Promise<string> {
  const description = { architecture, config, ...more };
  const tensors = parametersOf(description).map(({ name: tensor, shape }) => {
    const size = shape.reduce((a, b) => a * b, 1);
    // The halves of a pair share their embeddings.
    const key = tensor.includes('.embeddings.') ? 0 : seed;
    const letters = [...tensor].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1e9, 7);
    const random = new RandomStream(key, 'test', letters);
    const data = Float32Array.from({ length: size }, () => 0.3 * random.normal());
    change?.(tensor, data);
    return [tensor, { shape, data }] as const;
  });
  await saveModelFolder(at(name), { ...description, tensors: new Map(tensors), ...(tokenizer && { tokenizer }) });
  return at(name);
}

async function prepareShards(name: string, tokenizer: WordPieceTokenizer): Promise<string> {
  const random = new RandomStream(5, 'test');
  const word = () => WORDS[random.integer(WORDS.length - 1)];
  const sentence = () => `${Array.from({ length: 6 }, word).join(' ')} .`;
  const documents = Array.from({ length: 120 }, () => Array.from({ length: 5 }, sentence).join('\n'));
  mkdirSync(at(name));
  writeFileSync(at(`${name}/text.txt`), `${documents.join('\n\n')}\n`);
  await saveTokenizer(tokenizer, at(`${name}/tokenizer`));
  const out = at(`${name}/shards`);
  await prepareCorpus({
    inputs: [at(`${name}/text.txt`)],
    tokenizerDir: at(`${name}/tokenizer`),
    out,
    workers: 0,
    heldOutFraction: 0.1,
  });
  return out;
}

let data: string;
let discriminator: string;
let generator: string;
let bert: string;
beforeAll(async () => {
  data = await prepareShards('text', TOKENIZER);
  discriminator = await publish('discriminator', 'ElectraForPreTraining', SIZES);
  generator = await publish('generator', 'ElectraForMaskedLM', NARROW, { seed: 2 });
  bert = await publish('bert', 'BertForPreTraining', BERT);
});

const short = {
  length: 24,
  batchSize: 8,
  accumulation: 1,
  steps: 4,
  evaluateBatches: 2,
  evaluateEvery: 100,
  checkpointEvery: 100,
  logEvery: 1,
  threads: 1,
  learningRate: 1e-3,
};

async function train(given: Partial<PretrainingInput>, options: PretrainOptions = {}): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = [];
  for await (const event of pretrainToFolder(given, options)) events.push(event);
  return events;
}
let runs = 0;
const run = (given: Partial<PretrainingInput>) => ({ data, out: at(`run-${runs++}`), ...short, ...given });
const ofType = <T extends TrainingEvent>(events: TrainingEvent[], type: T['type']) =>
  events.filter((event) => event.type === type) as T[];
/** Of the start; made-up text and a few steps give others. */
const warnings = (events: TrainingEvent[]) =>
  events.flatMap((event) =>
    event.type === 'warning' && !/stuck|collapse/.test(event.code)
      ? [`${event.code}: ${event.message}. ${event.advice}`]
      : [],
  );
async function refusal(given: Partial<PretrainingInput>): Promise<string> {
  const settings = run(given);
  const error: Error = await train(settings).then(
    () => new Error('nothing was refused'),
    (caught) => caught,
  );
  expect(existsSync(settings.out), 'a run was begun').toBe(false);
  return error.message;
}

describe('a run from a published pair', () => {
  it('begins with the weights of both, moves them, and tells where they are from', async () => {
    const settings = run({ from: discriminator, generator });
    const events = await train(settings);
    const first = join(settings.out, 'checkpoints', 'step-00000000');
    const [published, begun, ended] = [
      discriminator,
      join(first, 'discriminator'),
      join(checkpointOf(settings.out, 'latest'), 'discriminator'),
    ].map((folder) => loadModelFolder(folder).tensors);
    expect([...begun.keys()]).toEqual([...published.keys()]);
    let moved = 0;
    for (const [name, { data: values }] of published) {
      expect(begun.get(name)!.data, name).toEqual(values);
      if (ended.get(name)!.data.some((value, i) => value !== values[i])) moved++;
    }
    expect(moved).toBe(published.size);
    const ofGenerator = loadModelFolder(join(first, 'generator'));
    expect(ofGenerator.config).toMatchObject({ hiddenSize: 8, intermediateSize: 32, embeddingSize: 8 });
    expect(ofGenerator.tensors).toEqual(loadModelFolder(generator).tensors);

    const [{ start, lines }] = ofType<LoadedEvent>(events, 'loaded');
    expect(start.models).toMatchObject([
      { role: 'discriminator', source: discriminator, architecture: 'ElectraForPreTraining', missing: [] },
      { role: 'generator', source: generator, architecture: 'ElectraForMaskedLM', missing: [] },
    ]);
    expect(start).toMatchObject({ random: [], shared: { tensors: 5, differing: [], largest: 0, relative: 0 } });
    expect(lines.join('\n')).toContain(
      '5 tensors are shared by generator and discriminator: the same in both, bit for bit',
    );
    expect(readRunFile<TrainingRunFile>(settings.out)!.start).toEqual(start);
    expect(warnings(events)).toEqual([]);
  });

  it('has a warm-up and step numbers of its own', async () => {
    const source = run({ from: discriminator, generator, steps: 20 });
    await train(source);
    const settings = run({ from: source.out, steps: 20, warmupSteps: 10, learningRate: 1e-3 });
    const events = await train(settings);
    const rates = ofType<StepEvent>(events, 'step').map(({ learningRate }) => learningRate);
    expect(rates.slice(0, 10).map((rate) => Number((rate * 1e4).toFixed(6)))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const { progress } = readTrainerFile(join(settings.out, 'checkpoints', 'step-00000000'));
    expect(progress).toMatchObject({ step: 0, updates: 0, tokensSeen: 0 });
  });

  it('begins with zero moments', async () => {
    // With an average of the weights the file would have these, too.
    const source = run({ from: discriminator, generator, steps: 3, averageDecay: 0 });
    await train(source);
    const settings = run({ from: source.out, steps: 1, averageDecay: 0 });
    await train(settings);
    const moments = async (folder: string) => {
      const tensors = await openTensors(join(folder, 'trainer.safetensors'));
      let largest = 0;
      for (const name of tensors.tensors.keys()) {
        for (const value of await tensors.readFloat32(name)) largest = Math.max(largest, Math.abs(value));
      }
      await tensors.close();
      return largest;
    };
    expect(await moments(checkpointOf(source.out, 'latest'))).toBeGreaterThan(0);
    expect(await moments(join(settings.out, 'checkpoints', 'step-00000000'))).toBe(0);
  });

  it('is first evaluated as its source was last, when that is a checkpoint of ours, which holds both halves', async () => {
    const source = run({ from: discriminator, generator, steps: 12, learningRate: 5e-3 });
    const { metrics: heldOut } = (await train(source)).at(-1) as DoneEvent;
    const events = await train(run({ from: checkpointOf(source.out, 'latest'), seed: 3 }));
    const [first] = ofType<EvaluationEvent>(events, 'evaluation');
    expect(first.step).toBe(0);
    expect(first.metrics).toEqual(heldOut);
  });

  it('is resumed without its sources, to the same bits', async () => {
    const [ours, copies] = [at('moved-d'), at('moved-g')];
    cpSync(discriminator, ours, { recursive: true });
    cpSync(generator, copies, { recursive: true });
    const whole = run({ from: ours, generator: copies });
    const { weightsSha256 } = (await train(whole)).at(-1) as DoneEvent;
    const parts = run({ from: ours, generator: copies });
    const stop = new AbortController();
    for await (const event of pretrainToFolder(parts, { signal: stop.signal })) {
      if (event.type === 'step' && event.step === 2) stop.abort();
    }
    rmSync(ours, { recursive: true });
    rmSync(copies, { recursive: true });
    const resumed = await train({ out: parts.out, resume: true });
    expect(resumed.at(-1)).toMatchObject({ interrupted: false, weightsSha256 });
    expect(ofType(resumed, 'loaded')).toEqual([]);
    expect(readRunFile<TrainingRunFile>(parts.out)!.start!.models).toHaveLength(2);
    await expect(train({ out: parts.out, resume: true, from: discriminator })).rejects.toThrow(
      `from was ${JSON.stringify(ours)} when the run began and is ${JSON.stringify(discriminator)} now`,
    );
  });

  it('that was stopped before its first checkpoint begins again with the same weights, or not at all', async () => {
    const source = at('changing');
    cpSync(discriminator, source, { recursive: true });
    const settings = run({ from: source, generator });
    const whole = (await train(settings)).at(-1) as DoneEvent;
    rmSync(join(settings.out, 'checkpoints'), { recursive: true });
    rmSync(join(settings.out, 'latest'));
    rmSync(join(settings.out, 'best'));
    const again = await train({ out: settings.out, resume: true });
    expect((again.at(-1) as DoneEvent).weightsSha256).toBe(whole.weightsSha256);
    rmSync(join(settings.out, 'checkpoints'), { recursive: true });
    rmSync(join(settings.out, 'latest'));
    rmSync(join(settings.out, 'best'));
    rmSync(source, { recursive: true });
    renameSync(await publish('changed', 'ElectraForPreTraining', SIZES, { seed: 9 }), source);
    await expect(train({ out: settings.out, resume: true })).rejects.toThrow(
      /was begun with weights \w{12} of .*changing, which are \w{12} now\. It has no checkpoint yet/,
    );
  });

  it('keeps the embeddings of both with sharing none, and shares the encoder too when sizes are equal', async () => {
    const other = await publish('other-embeddings', 'ElectraForMaskedLM', SIZES, {
      seed: 2,
      change: (name, values) => name.includes('.embeddings.') && values.fill(0.25),
    });
    const none = run({ from: discriminator, generator: other, sharing: 'none' });
    expect(warnings(await train(none))).toEqual([]);
    const begun = (out: string, half: string) =>
      loadModelFolder(join(out, 'checkpoints', 'step-00000000', half)).tensors;
    expect(begun(none.out, 'generator')).toEqual(loadModelFolder(other).tensors);
    const encoder = run({ from: discriminator, generator: other, sharing: 'encoder' });
    const told = warnings(await train(encoder));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(
      /^embeddings-differ: What generator and discriminator share is not the same .* 39 of 39 differ/,
    );
    const table = 'electra.encoder.layer.1.output.dense.weight';
    expect(begun(encoder.out, 'generator').get(table)).toEqual(loadModelFolder(discriminator).tensors.get(table));
  });

  it.each([
    [
      'rounded',
      1e-4,
      /1 of 5 differ \(by up to 0\.00010, 0\.0\d+ % of their norm\)\. The discriminator's is taken for both\. That is the size of rounding/,
    ],
    [
      'another',
      1,
      /1 of 5 differ \(by up to 1\.0, .* They do not seem to have been trained together.*sharing: "none" keeps both/,
    ],
  ])('says by how much shared embeddings differ, and which are taken: %s', async (name, by, message) => {
    const other = await publish(`embeddings-${name}`, 'ElectraForMaskedLM', NARROW, {
      seed: 2,
      change: (tensor, values) => {
        if (tensor === 'electra.embeddings.word_embeddings.weight')
          values.forEach((value, i) => (values[i] = value + by));
      },
    });
    const settings = run({ from: discriminator, generator: other });
    const told = warnings(await train(settings));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(message);
    const [mine, theirs] = ['generator', 'discriminator'].map(
      (half) => loadModelFolder(join(settings.out, 'checkpoints/step-00000000', half)).tensors,
    );
    const table = 'electra.embeddings.word_embeddings.weight';
    expect(mine.get(table)).toEqual(theirs.get(table));
    expect(theirs.get(table)).toEqual(loadModelFolder(discriminator).tensors.get(table));
  });
});

describe('ranks', () => {
  it('begin with the weights that rank 0 has read, and the others need not see', async () => {
    const settings = run({ from: discriminator, generator, batchSize: 4, accumulation: 2 });
    const collectives = memoryCollectives(2);
    const loadStart = () => Promise.reject(new Error('only rank 0 reads models'));
    const ends = await Promise.all(
      collectives.map((collective, rank) => train(settings, { collective, ...(rank > 0 && { loadStart }) })),
    );
    const [first, second] = ends.map((events) => (events.at(-1) as DoneEvent).weightsSha256);
    expect(first).toBe(second);
    const begun = loadModelFolder(join(settings.out, 'checkpoints/step-00000000/discriminator')).tensors;
    expect(begun).toEqual(loadModelFolder(discriminator).tensors);
  });
});

describe('a generator that is not there', () => {
  it('is an error that says how to give one, or to ask for a new one', async () => {
    expect(await refusal({ from: discriminator })).toBe(
      `from is ${discriminator}, which holds no generator, and objective electra trains one; give the generator that it was trained with, for instance generator: ${JSON.stringify(discriminator.replaceAll('discriminator', 'generator'))}, ask for a new one of random weights: newGenerator: true, or let it begin as the first layers of the model, with a new head: newHead: true`,
    );
  });

  it('is random when it was asked to be new, and shares the embeddings of the discriminator', async () => {
    const settings = run({ from: discriminator, newGenerator: true, generatorSizeFraction: 0.5 });
    const [{ start }] = ofType<LoadedEvent>(await train(settings), 'loaded');
    expect(start.random.every((name) => name.startsWith('generator.'))).toBe(true);
    expect(start.random).toContain('generator.electra.encoder.layer.0.output.dense.weight');
    const { config, tensors } = loadModelFolder(join(settings.out, 'checkpoints/step-00000000/generator'));
    expect(config.hiddenSize).toBe(8);
    const table = 'electra.embeddings.word_embeddings.weight';
    expect(tensors.get(table)).toEqual(loadModelFolder(discriminator).tensors.get(table));
  });

  it('is not missed where replacements come from elsewhere', async () => {
    const settings = run({ from: discriminator, generatorKind: 'unigram' });
    const [{ start }] = ofType<LoadedEvent>(await train(settings), 'loaded');
    expect(start).toMatchObject({ random: [], models: [{ role: 'discriminator' }] });
  });
});

describe('what does not belong together is refused before a run is begun', () => {
  it('halves that have changed places, told by their tensors whatever config.json says', async () => {
    expect(await refusal({ from: generator, generator: discriminator })).toBe(
      `from is ${generator}, which holds a generator, not a discriminator; generator is ${discriminator}, which holds a discriminator, not a generator. They have changed places: from is the discriminator, generator the generator`,
    );
    const lying = at('lying');
    cpSync(discriminator, lying, { recursive: true });
    const config = JSON.parse(readFileSync(join(lying, 'config.json'), 'utf8'));
    writeFileSync(join(lying, 'config.json'), JSON.stringify({ ...config, architectures: ['ElectraForMaskedLM'] }));
    expect(await refusal({ from: discriminator, generator: lying, newHead: true })).toContain(
      `generator is ${lying}, which holds a discriminator, not a generator`,
    );
  });

  it("a generator with the discriminator's config", async () => {
    const wrong = at('wrong-config');
    cpSync(generator, wrong, { recursive: true });
    cpSync(join(discriminator, 'config.json'), join(wrong, 'config.json'));
    expect(await refusal({ from: discriminator, generator: wrong })).toBe(
      `generator ${wrong}: its config.json is that of a discriminator 16 wide, and its tensors are 8 wide. Put the generator's own config.json there`,
    );
    const other = at('other-config');
    cpSync(discriminator, other, { recursive: true });
    cpSync(join(generator, 'config.json'), join(other, 'config.json'));
    expect(await refusal({ from: other, generator })).toMatch(
      /^from .*other-config: .* has other sizes than its config\.json says: hidden_size is 16 and not 8, intermediate_size is 24 and not 32\. Load it with its own config\.json/,
    );
  });

  it('settings that say otherwise than the weights, all at once', async () => {
    const message = await refusal({
      from: discriminator,
      generator,
      size: 'base',
      model: { hiddenSize: 32, numHiddenLayers: 2 },
      generatorSizeFraction: 1,
      sharing: 'encoder',
    });
    expect(message).toMatch(/^\d settings are wrong/);
    expect(message).toContain(
      `size is base (numHiddenLayers 12, hiddenSize 768, numAttentionHeads 12, intermediateSize 3072), and ${discriminator} has numHiddenLayers 2, hiddenSize 16`,
    );
    expect(message).toContain(
      `model.hiddenSize is 32, and ${discriminator} has 16; leave it out, or begin without from`,
    );
    expect(message).toContain(`generatorSizeFraction is 1, and ${generator} has a generator 8 wide`);
    expect(message).toContain(
      'sharing encoder needs equal sizes: hiddenSize is 16 in the model and 8 in the generator',
    );
    expect(message).not.toContain('numHiddenLayers is 2');
  });

  it('settings that need from, or cannot be with it', async () => {
    expect(await refusal({ generator, newHead: true, revision: 'v1' })).toMatch(
      /revision is set and from is not.*newHead is set and from is not.*generator is ".*" and from is not set; give the discriminator/s,
    );
    expect(
      await refusal({
        from: discriminator,
        generator,
        objective: 'two-stage',
        initialization: 'local',
        newGenerator: true,
      }),
    ).toMatch(
      /two-stage, whose discriminator begins as its generator.*generator and newGenerator are both set.*initialization is local/s,
    );
    expect(await refusal({ from: bert, generator, objective: 'mlm' })).toContain(
      'generator is set and objective is mlm, which has no generator',
    );
  });

  it('vocabularies of other sizes, and embeddings of other sizes than are shared', async () => {
    const more = await publish('more-words', 'ElectraForMaskedLM', { ...NARROW, vocabSize: 20 }, { tokenizer: null });
    expect(await refusal({ from: discriminator, generator: more })).toContain(
      `generator ${more} has a vocabulary of 20, and from ${discriminator} one of 16`,
    );
    const fewer = await publish('fewer-positions', 'ElectraForMaskedLM', { ...NARROW, maxPositionEmbeddings: 28 });
    expect(await refusal({ from: discriminator, generator: fewer })).toBe(
      'sharing embeddings needs equal sizes: maxPositionEmbeddings is 32 in the model and 28 in the generator; sharing: "none" keeps the embeddings of both',
    );
    expect(await refusal({ from: discriminator, generator: fewer, sharing: 'none', length: 32 })).toContain(
      'length is 32 and maxPositionEmbeddings of the generator is 28',
    );
    await train(run({ from: discriminator, generator: fewer, sharing: 'none' }));
  });

  it('shards of another tokenizer, with what to do', async () => {
    const swapped = [...SPECIAL, ...WORDS.slice(1), WORDS[0]];
    const others = await prepareShards('other-text', WordPieceTokenizer.fromVocabulary(swapped));
    const message = await refusal({ from: discriminator, generator, data: others });
    expect(message).toMatch(
      /was not prepared for the discriminator of .*: its tokenizer is \w{32}, that of the shards \w{32}; id 5 is "a" in the shards and "the" in the model/,
    );
    expect(message).toContain('pleiad prepare TEXT --tokenizer');
    const cased = await prepareShards(
      'cased-text',
      WordPieceTokenizer.fromVocabulary([...SPECIAL, ...WORDS], { lowercase: false }),
    );
    expect(await refusal({ from: discriminator, generator, data: cased })).toContain(
      'the vocabulary is the same, but lowercase is false there and true in the model',
    );
    const bare = await publish('bare', 'ElectraForPreTraining', SIZES, { tokenizer: null });
    const told = warnings(await train(run({ from: bare, generator })));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^tokenizer-unknown: The discriminator of .*bare comes without a tokenizer/);
  });

  it('an encoder without its head, unless a new one is asked for', async () => {
    const encoder = await publish('encoder', 'ElectraModel', SIZES);
    expect(await refusal({ from: encoder, generator })).toMatch(
      /^from .*encoder has no whole head of ElectraForPreTraining: missing discriminator_predictions\.dense\.weight.*newHead: true/,
    );
    const [{ start }] = ofType<LoadedEvent>(await train(run({ from: encoder, generator, newHead: true })), 'loaded');
    expect(start.random).toHaveLength(4);
    expect(start.random[0]).toBe('discriminator.discriminator_predictions.dense.weight');
  });

  it('an ELECTRA with an embedding projection as a BERT, which has none', async () => {
    const message = await refusal({ from: discriminator, objective: 'spanbert', newHead: true });
    expect(message).toContain(
      'is an ELECTRA with embeddings of 8 and hidden states of 16, and is to be trained as a BERT, which has no embedding projection',
    );
  });

  it('a BERT as ELECTRA without asking for the head that it does not have', async () => {
    expect(await refusal({ from: bert })).toMatch(
      /^from .*bert has no whole head of ElectraForPreTraining: missing discriminator_predictions\.dense\.weight.*newHead: true/,
    );
  });
});

describe('a run from an encoder of the other kind', () => {
  const tensorsOf = (out: string, half: string) =>
    loadModelFolder(join(out, 'checkpoints/step-00000000', half)).tensors;
  const DEEP = { ...BERT, numHiddenLayers: 4 };

  it('makes both halves of an ELECTRA of a BERT: all layers, and the first half of them with its masked-LM head', async () => {
    const deep = await publish('deep-bert', 'BertForPreTraining', DEEP);
    const settings = run({ from: deep, newHead: true });
    const [{ start, lines }] = ofType<LoadedEvent>(await train(settings), 'loaded');
    const theirs = loadModelFolder(deep).tensors;
    const [main, half] = ['discriminator', 'generator'].map((name) => tensorsOf(settings.out, name));
    const encoderNames = [...main.keys()].filter((name) => name.startsWith('electra.'));
    expect(encoderNames).toHaveLength(5 + 4 * 16);
    for (const name of encoderNames) {
      const published = theirs.get(name.replace('electra.', 'bert.'))!;
      expect(main.get(name), name).toEqual(published);
      if (!/layer\.[23]\./.test(name)) expect(half.get(name), name).toEqual(published);
      else expect(half.has(name), name).toBe(false);
    }
    expect(half.get('generator_predictions.dense.weight')).toEqual(
      theirs.get('cls.predictions.transform.dense.weight'),
    );
    expect(half.get('generator_predictions.LayerNorm.bias')).toEqual(
      theirs.get('cls.predictions.transform.LayerNorm.bias'),
    );
    expect(half.get('generator_lm_head.bias')).toEqual(theirs.get('cls.predictions.bias'));
    expect(start.random.every((name) => name.startsWith('discriminator.discriminator_predictions.'))).toBe(true);
    expect(start).toMatchObject({
      shared: { tensors: 5, differing: [] },
      sizes: { family: 'electra', generatorOfModel: true, generator: { numHiddenLayers: 2, hiddenSize: 16 } },
      models: [
        { architecture: 'ElectraForPreTraining', taken: { renamed: { from: 'bert', to: 'electra' } } },
        { architecture: 'ElectraForMaskedLM', taken: { layers: { taken: 2, of: 4 } } },
      ],
    });
    expect(lines[0]).toContain(`discriminator from ${deep}, whose bert.* are electra.* here: `);
    expect(lines.join('\n')).toContain(
      `generator from the first 2 of 4 layers of ${deep}, whose bert.* are electra.* here: `,
    );
    expect(lines.join('\n')).toContain(
      "unused, BERT's pooler, which an ELECTRA does not have: bert.pooler.dense.weight",
    );
    expect(readRunFile<TrainingRunFile>(settings.out)!.settings).toMatchObject({ generatorLayerFraction: 0.5 });
    // Another name for the same function: what the encoder computes is the same.
    const engine = createInterpreterEngine();
    const inputs = { inputIds: [[2, 5, 7, 3]] };
    const states = [deep, join(settings.out, 'checkpoints/step-00000000/discriminator')].map(async (place) => {
      const model = await fromPretrained(place, { engine, task: 'encoder' });
      const { lastHiddenState } = await model.run(inputs);
      await model.release();
      return lastHiddenState!.data;
    });
    const [before, after] = await Promise.all(states);
    expect(after).toEqual(before);
    await engine.close();
    const again = await train({ out: settings.out, resume: true, steps: 5 });
    expect(again.at(-1)).toMatchObject({ step: 5 });
  });

  it('takes as many layers for the generator as were asked for, or another model', async () => {
    const deep = await publish('deep-bert-2', 'BertModel', DEEP);
    const quarter = run({ from: deep, newHead: true, generatorLayerFraction: 0.25 });
    await train(quarter);
    expect(loadModelFolder(join(checkpointOf(quarter.out, 'latest'), 'generator')).config.numHiddenLayers).toBe(1);
    const other = await publish('shallow-bert', 'BertForMaskedLM', { ...BERT, numHiddenLayers: 1 }, { seed: 3 });
    const given = run({ from: deep, newHead: true, generator: other });
    const [{ start }] = ofType<LoadedEvent>(await train(given), 'loaded');
    expect(start.models[1]).toMatchObject({ source: other, taken: { renamed: { from: 'bert', to: 'electra' } } });
    expect(tensorsOf(given.out, 'generator').get('electra.encoder.layer.0.output.dense.weight')).toEqual(
      loadModelFolder(other).tensors.get('bert.encoder.layer.0.output.dense.weight'),
    );
  });

  it('makes a SpanBERT or a masked LM of a discriminator, and an ELECTRA of a masked LM', async () => {
    const wide = await publish('wide-discriminator', 'ElectraForPreTraining', BERT);
    const theirs = loadModelFolder(wide).tensors;
    const table = 'embeddings.word_embeddings.weight';
    const spans = run({ from: wide, objective: 'spanbert', newHead: true });
    await train(spans);
    expect(tensorsOf(spans.out, 'model').get(`bert.${table}`)).toEqual(theirs.get(`electra.${table}`));
    expect(await refusal({ from: wide, objective: 'mlm' })).toMatch(
      /holds a discriminator, not a masked LM.*newHead: true/,
    );
    const words = run({ from: wide, objective: 'mlm', newHead: true });
    await train(words);
    expect(tensorsOf(words.out, 'generator').get(`electra.${table}`)).toEqual(theirs.get(`electra.${table}`));
    const pair = run({ from: words.out, newHead: true });
    const [{ start }] = ofType<LoadedEvent>(await train(pair), 'loaded');
    expect(start.sizes.generatorOfModel).toBe(true);
    expect(tensorsOf(pair.out, 'generator').get('generator_predictions.dense.weight')).toEqual(
      loadModelFolder(join(checkpointOf(words.out, 'best'), 'generator')).tensors.get(
        'generator_predictions.dense.weight',
      ),
    );
  });
});

describe('a ready masked LM as generator', () => {
  it('stays as it is, and is taken as a whole where it is the model itself', async () => {
    const words = run({ from: bert, objective: 'mlm', steps: 1 });
    await train(words);
    const settings = run({ from: words.out, newHead: true, freezeGenerator: true, temperature: 2, temperatureEnd: 1 });
    const events = await train(settings);
    const ofStep = (step: number, half: string) =>
      loadModelFolder(join(settings.out, `checkpoints/step-0000000${step}`, half));
    expect(ofStep(4, 'generator').config.numHiddenLayers).toBe(BERT.numHiddenLayers);
    expect(ofStep(4, 'generator').tensors).toEqual(ofStep(0, 'generator').tensors);
    const table = 'electra.embeddings.word_embeddings.weight';
    expect(ofStep(4, 'discriminator').tensors.get(table)).not.toEqual(ofStep(0, 'discriminator').tensors.get(table));
    const { settings: kept } = readRunFile<TrainingRunFile>(settings.out)!;
    expect(kept).toMatchObject({ sharing: 'none', generatorLayerFraction: 1 });
    const { weightsSha256 } = events.at(-1) as DoneEvent;
    const parts = { ...settings, out: at('frozen-parts') };
    const stop = new AbortController();
    for await (const event of pretrainToFolder(parts, { signal: stop.signal })) {
      if (event.type === 'step' && event.step === 2) stop.abort();
    }
    expect((await train({ out: parts.out, resume: true })).at(-1)).toMatchObject({ weightsSha256 });
  });

  it('must be whole, and nothing else may change it', async () => {
    const encoder = await publish('bare-bert', 'BertModel', BERT);
    expect(await refusal({ from: encoder, newHead: true, freezeGenerator: true })).toMatch(
      /has no whole head of ElectraForMaskedLM.*A generator that stays as it is must be a masked LM as a whole/,
    );
    expect(await refusal({ from: bert, newHead: true, freezeGenerator: true, sharing: 'embeddings' })).toContain(
      'freezeGenerator is set and sharing is embeddings, by which the discriminator would change it; expected none or gdes',
    );
    expect(await refusal({ freezeGenerator: true })).toContain(
      'freezeGenerator is set, and neither from nor generator says where a ready masked LM is',
    );
  });

  it('may be beside a new discriminator of another size', async () => {
    const settings = run({
      generator: bert,
      freezeGenerator: true,
      size: 'tiny',
      model: { hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 1, intermediateSize: 8, embeddingSize: 8 },
    });
    const events = await train(settings);
    const [{ start }] = ofType<LoadedEvent>(events, 'loaded');
    expect(start.models).toMatchObject([{ role: 'generator', taken: { renamed: { from: 'bert', to: 'electra' } } }]);
    expect(start.random.every((name) => name.startsWith('discriminator.'))).toBe(true);
    const { config } = loadModelFolder(join(checkpointOf(settings.out, 'latest'), 'discriminator'));
    expect(config).toMatchObject({ hiddenSize: 8, numHiddenLayers: 1 });
    const engine = createInterpreterEngine();
    const { heldOut } = await evaluateCheckpoint(checkpointOf(settings.out, 'latest'), { data, engine, maxBatches: 2 });
    expect(heldOut.discriminatorLoss).toBeCloseTo((events.at(-1) as DoneEvent).metrics!.discriminatorLoss!, 2);
    await engine.close();
    expect((await train({ out: settings.out, resume: true, steps: 5 })).at(-1)).toMatchObject({ step: 5 });
  });
});

describe('embeddings that stay as they are', () => {
  const halves = () => ({ from: discriminator, generator });
  it.each([
    ['a pair', () => halves(), ['discriminator', 'generator']],
    ['a discriminator beside a frozen generator', () => ({ ...halves(), freezeGenerator: true }), ['discriminator']],
    ['a masked LM of ELECTRA', () => ({ from: generator, objective: 'mlm' as const }), ['generator']],
    ['a masked LM of BERT', () => ({ from: bert, objective: 'mlm' as const }), ['model']],
    ['SpanBERT', () => ({ from: bert, objective: 'spanbert' as const, newHead: true }), ['model']],
  ])('keep their bits, and all else is trained: %s', async (_, start, folders) => {
    const settings = run({ ...start(), freezeEmbeddings: true, averageDecay: 0.9 });
    const { weightsSha256 } = (await train(settings)).at(-1) as DoneEvent;
    for (const folder of folders) {
      const of = (step: number) =>
        loadModelFolder(join(settings.out, `checkpoints/step-0000000${step}`, folder)).tensors;
      const [before, after] = [of(0), of(4)];
      // The norm and the tables are embeddings; the projection that follows them in ELECTRA is a layer.
      const isKept = (name: string) => /^(electra|bert)\.embeddings\./.test(name);
      expect([...before.keys()].filter(isKept)).toHaveLength(5);
      for (const [name, { data }] of after) {
        if (isKept(name)) expect(data, name).toEqual(before.get(name)!.data);
        else expect(data, name).not.toEqual(before.get(name)!.data);
      }
    }
    const parts = { ...settings, out: `${settings.out}-parts` };
    const stop = new AbortController();
    for await (const event of pretrainToFolder(parts, { signal: stop.signal })) {
      if (event.type === 'step' && event.step === 2) stop.abort();
    }
    expect((await train({ out: parts.out, resume: true })).at(-1)).toMatchObject({ weightsSha256 });
  });

  it('need weights to begin with, and no difference of their own', async () => {
    expect(await refusal({ freezeEmbeddings: true })).toContain(
      'freezeEmbeddings is set and from is not; all weights are new then',
    );
    expect(await refusal({ ...halves(), sharing: 'gdes', freezeEmbeddings: true })).toContain(
      'freezeEmbeddings is set and sharing is gdes, whose difference would stay 0; expected another',
    );
  });
});

describe('gradient-disentangled embedding sharing', () => {
  it('is resumed to the same bits from its folders, in which the table of the discriminator is one', async () => {
    const settings = run({ from: discriminator, generator, sharing: 'gdes', averageDecay: 0.9 });
    const { weightsSha256, metrics } = (await train(settings)).at(-1) as DoneEvent;
    const parts = { ...settings, out: at('gdes-parts') };
    const stop = new AbortController();
    for await (const event of pretrainToFolder(parts, { signal: stop.signal })) {
      if (event.type === 'step' && event.step === 2) stop.abort();
    }
    expect((await train({ out: parts.out, resume: true })).at(-1)).toMatchObject({ weightsSha256, metrics });
    const table = 'electra.embeddings.word_embeddings.weight';
    const first = loadModelFolder(join(settings.out, 'checkpoints/step-00000000/discriminator')).tensors;
    expect(first.get(table)).toEqual(loadModelFolder(discriminator).tensors.get(table));
    const folder = join(checkpointOf(settings.out, 'latest'), 'discriminator');
    expect([...loadModelFolder(folder).tensors.keys()]).toEqual([...loadModelFolder(discriminator).tensors.keys()]);
    const again = run({ from: settings.out, steps: 1 });
    await train(again);
  });
});

describe('a run from models whose word table was padded beyond the vocabulary', () => {
  it('keeps the rows, is evaluated, resumed and used, and its files are whole', async () => {
    const rows = { vocabSize: 24 };
    const likely = (name: string, values: Float32Array) => {
      if (name === 'generator_lm_head.bias') values.fill(30, TOKENIZER.vocabSize);
    };
    const from = await publish('padded', 'ElectraForPreTraining', { ...SIZES, ...rows });
    const other = await publish('padded-g', 'ElectraForMaskedLM', { ...NARROW, ...rows }, { seed: 2, change: likely });
    const settings = run({ from, generator: other, steps: 2 });
    const { metrics: heldOut } = (await train(settings)).at(-1) as DoneEvent;
    const latest = checkpointOf(settings.out, 'latest');
    for (const half of ['discriminator', 'generator']) {
      expect(loadModelFolder(join(latest, half)).config.vocabSize, half).toBe(24);
    }
    const engine = createInterpreterEngine();
    const again = await evaluateCheckpoint(latest, { data, engine, maxBatches: 2 });
    expect(again.heldOut.generatorLoss).toBeCloseTo(heldOut!.generatorLoss!, 3);
    await engine.close();
    expect((await train({ out: settings.out, resume: true, steps: 3 })).at(-1)).toMatchObject({ step: 3 });
    const filler = await loadFillMask(settings.out, { threads: 1 });
    const { masks } = await filler.fill('the chef [MASK] .', { topK: TOKENIZER.vocabSize });
    expect(masks[0].candidates.map(({ token }) => token).sort()).toEqual([...WORDS].sort());
    await filler.release();
  });

  it('is refused where no tokenizer says that its further rows are padding', async () => {
    const config = { ...SIZES, vocabSize: 24 };
    const from = await publish('padded-bare', 'ElectraForPreTraining', config, { tokenizer: null });
    expect(await refusal({ from, newGenerator: true })).toContain(
      'its word table has 24 rows, the vocabulary of the shards 16 pieces',
    );
  });
});

describe('a run from one model', () => {
  it('goes on with a BERT as masked LM, and leaves a BERT', async () => {
    const settings = run({ from: bert, objective: 'mlm' });
    const events = await train(settings);
    const { architecture, tensors } = loadModelFolder(join(settings.out, 'checkpoints/step-00000000/model'));
    expect(architecture).toBe('BertForMaskedLM');
    const published = loadModelFolder(bert).tensors;
    for (const [name, tensor] of tensors) expect(tensor, name).toEqual(published.get(name));
    const done = events.at(-1) as DoneEvent;
    const engine = createInterpreterEngine();
    const checkpoint = checkpointOf(settings.out, 'latest');
    const { heldOut } = await evaluateCheckpoint(checkpoint, { data, engine, maxBatches: 2 });
    expect(heldOut.mlmLoss).toBeCloseTo(done.metrics!.mlmLoss!, 2);
    await engine.close();
    const again = await train({ out: settings.out, resume: true, steps: 5 });
    expect((again.at(-1) as DoneEvent).step).toBe(done.step + 1);
  });

  it('goes on with a generator as masked LM', async () => {
    const settings = run({ from: generator, objective: 'mlm' });
    await train(settings);
    const { tensors } = loadModelFolder(join(settings.out, 'checkpoints/step-00000000/generator'));
    expect(tensors).toEqual(loadModelFolder(generator).tensors);
  });

  it('goes on with a SpanBERT and its boundary head; without one, that must be asked to be new', async () => {
    const plain = await refusal({ from: bert, objective: 'spanbert' });
    expect(plain).toMatch(/has no weights for sbo\..*newHead: true/);
    const first = run({ from: bert, objective: 'spanbert', newHead: true, maxSpanTargets: 4, sboPositionSize: 6 });
    const [{ start }] = ofType<LoadedEvent>(await train(first), 'loaded');
    expect(start.random.every((name) => name.startsWith('sbo.'))).toBe(true);
    const second = run({ from: first.out, objective: 'spanbert', nextSentence: false });
    const [{ start: whole }] = ofType<LoadedEvent>(await train(second), 'loaded');
    expect(whole.random).toEqual([]);
    expect(readRunFile<TrainingRunFile>(second.out)!.settings).toMatchObject({ maxSpanTargets: 4, sboPositionSize: 6 });
    expect(await refusal({ from: first.out, objective: 'spanbert', maxSpanTargets: 5 })).toContain(
      `maxSpanTargets is 5, and ${first.out} has 4`,
    );
    const pairs = run({ from: bert, objective: 'spanbert', sbo: false, nextSentence: true });
    const [{ start: withPairs }] = ofType<LoadedEvent>(await train(pairs), 'loaded');
    expect(withPairs).toMatchObject({ random: [], models: [{ architecture: 'BertForPreTraining' }] });
  });
});

describe('a pair by name', () => {
  const hub = new TestHub();
  const files = (folder: string) =>
    Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
  let options: PretrainOptions;
  beforeAll(async () => {
    await hub.start();
    hub.add('lab/tiny-discriminator', files(discriminator));
    hub.add('lab/tiny-generator', files(generator));
    options = { hub: { endpoint: hub.endpoint, cacheFolder: at('cache'), token: false } };
  });
  afterAll(() => hub.stop());

  it('is fetched, and its commits are recorded', async () => {
    const settings = run({ from: 'lab/tiny-discriminator', generator: 'lab/tiny-generator', revision: 'main' });
    const [{ lines }] = ofType<LoadedEvent>(await train(settings, options), 'loaded');
    expect(lines[0]).toContain(`discriminator from lab/tiny-discriminator at ${COMMIT.slice(0, 12)}: `);
    const { start, given } = readRunFile<TrainingRunFile>(settings.out)!;
    expect(given).toMatchObject({ from: 'lab/tiny-discriminator', generator: 'lab/tiny-generator' });
    expect(start!.models.map(({ hub: where }) => where)).toEqual(
      ['discriminator', 'generator'].map((half) => ({
        repository: `lab/tiny-${half}`,
        revision: 'main',
        commit: COMMIT,
      })),
    );
    // The step-0 checkpoint has it all.
    hub.requests.length = 0;
    await train({ out: settings.out, resume: true, steps: 5 }, options);
    expect(hub.requests).toEqual([]);
  });

  it('begins again at the commit of the first time', async () => {
    const settings = run({ from: 'lab/tiny-discriminator', generator: 'lab/tiny-generator' });
    const { weightsSha256 } = (await train(settings, options)).at(-1) as DoneEvent;
    for (const name of ['checkpoints', 'latest', 'best']) rmSync(join(settings.out, name), { recursive: true });
    const { commits, refs } = hub.repositories.get('lab/tiny-discriminator')!;
    commits.set(NEXT_COMMIT, new Map([['config.json', Buffer.from('{}')]]));
    refs.set('main', NEXT_COMMIT);
    const again = (await train({ out: settings.out, resume: true }, options)).at(-1) as DoneEvent;
    expect(again.weightsSha256).toBe(weightsSha256);
    refs.set('main', COMMIT);
  });

  it('names the likely generator when only the discriminator is given', async () => {
    const error = await train(run({ from: 'lab/tiny-discriminator' }), options).catch((caught) => caught);
    expect(error.message).toContain('for instance generator: "lab/tiny-generator", ask for a new one');
  });

  it('gives its tokenizer without its weights', async () => {
    hub.requests.length = 0;
    const folder = await locateTokenizer('lab/tiny-generator', { ...options.hub, cacheFolder: at('fresh') });
    expect(loadTokenizer(folder).hash()).toBe(TOKENIZER.hash());
    expect(hub.log.filter((line) => line.includes('model.safetensors'))).toEqual([]);
    hub.add('lab/mute', { 'config.json': '{}' });
    await expect(tokenizerFromPretrained('lab/mute', options.hub)).rejects.toThrow(/has neither tokenizer\.json nor/);
    const settings = run({ from: discriminator, generator });
    await train(settings);
    expect(loadTokenizer(await locateTokenizer(settings.out)).hash()).toBe(TOKENIZER.hash());
    expect(await locateTokenizer(generator)).toBe(generator);
  });
});

describe("a checkpoint of google-research/electra's", () => {
  it('gives both halves, the generator with sizes of its own beside one config.json', async () => {
    const folder = at('bundle');
    cpSync(goldenPath('electra-tf1'), folder, { recursive: true });
    for (const name of readdirSync(folder)) if (name.endsWith('.safetensors')) rmSync(join(folder, name));
    const config = {
      ...{ model_type: 'electra', vocab_size: 11, embedding_size: 6, max_position_embeddings: 7, num_hidden_layers: 2 },
      ...{ hidden_size: 8, intermediate_size: 16, num_attention_heads: 2 },
    };
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    const settings = resolvePretrainingSettings(run({ from: folder }));
    const { models, sizes } = await loadStartModels(settings);
    expect(models.map(({ role, guessedConfig }) => [role, guessedConfig])).toEqual([
      ['discriminator', false],
      ['generator', true],
    ]);
    expect(sizes.model).toMatchObject({ hiddenSize: 8, numAttentionHeads: 2 });
    expect(sizes.generator).toMatchObject({
      hiddenSize: 4,
      intermediateSize: 12,
      numAttentionHeads: 1,
      embeddingSize: 6,
    });
    for (const { role, tensors } of models) {
      const expected = expectedGolden(`electra-tf1/${role}`);
      for (const [name, { data: values }] of tensors) expect(values, name).toEqual(expected.get(name)!.data);
    }
    const ofGenerator = { ...config, hidden_size: 4, intermediate_size: 12, num_attention_heads: 1 };
    writeFileSync(join(folder, 'config.json'), JSON.stringify(ofGenerator));
    const mlm = resolvePretrainingSettings(run({ from: folder, objective: 'replace-mlm' }));
    await expect(loadStartModels(mlm)).rejects.toThrow(
      /whose main model is a discriminator, and objective is replace-mlm/,
    );
  });
});
