/**
 * Settings of a run that begins with the weights of published models or of other runs: a part of those of pre-training. What
 * the models are, their weights say; settings that say otherwise are refused.
 */
import { z } from 'zod';
import { type EncoderConfig, encoderConfig, generatorConfig, SIZES, type SizeName } from '../models/config.js';
import { settingName } from '../settings/settingNames.js';
import type { StartSizes } from '../training/start.js';
import type { OwnValues } from './objectiveDefinition.js';
import { definitionOf, type OwnFields } from './objectives.js';

export const startFields = {
  from: z
    .string()
    .min(1)
    .optional()
    .describe(
      'What to go on from: a name on the hub, a model folder, a checkpoint, a run, or a file. Its weights, sizes and vocabulary are taken; the optimizer and the warm-up start anew. Default: random weights.',
    ),
  revision: z.string().min(1).optional().describe('Branch, tag or commit of `from` on the hub. Default main.'),
  generatorRevision: z
    .string()
    .min(1)
    .optional()
    .describe('Branch, tag or commit of the generator on the hub. Default main.'),
  newGenerator: z
    .boolean()
    .optional()
    .describe('With `from`: the generator starts at random, though the discriminator does not. Default false.'),
  newHead: z
    .boolean()
    .optional()
    .describe('With `from`: heads that its weights do not have start at random. Default false: that is an error.'),
  freezeEmbeddings: z
    .boolean()
    .default(false)
    .describe(
      'With `from`: the embeddings, of words, positions and segments, and their norm stay as they are; layers and heads are trained. Default false.',
    ),
};

/** Sizes that weights have, and what their values mean. The vocabulary is the tokenizer's; dropout is the run's. */
const FROM_WEIGHTS = [
  'embeddingSize',
  'hiddenSize',
  'numHiddenLayers',
  'numAttentionHeads',
  'intermediateSize',
  'maxPositionEmbeddings',
  'typeVocabSize',
  'layerNormEps',
] as const;
/** Which of them make a named size. */
const NAMED = ['numHiddenLayers', 'hiddenSize', 'numAttentionHeads', 'intermediateSize'] as const;

type Fields = Partial<EncoderConfig>;

/** What was given, as far as it has to do with sizes. */
type Given = OwnValues<OwnFields> & {
  readonly objective: string;
  readonly size?: SizeName;
  readonly model: Fields;
  readonly from?: string;
  readonly generatorFrom?: string;
};

function sizesOf(config: EncoderConfig): Fields {
  return Object.fromEntries(FROM_WEIGHTS.map((name) => [name, config[name]]));
}

/** The named size that a model is of, else the largest that is not deeper and wider together; defaults go by it. */
export function sizeOfStart(model: EncoderConfig): SizeName {
  const names = Object.keys(SIZES) as SizeName[];
  const isOfSize = (size: SizeName) => differences(size, model).length === 0;
  const extent = (size: SizeName) => SIZES[size].layers * SIZES[size].hidden;
  const smaller = names.filter((size) => extent(size) <= model.numHiddenLayers * model.hiddenSize);
  return names.find(isOfSize) ?? smaller.reduce((best, size) => (extent(size) > extent(best) ? size : best), 'tiny');
}

function differences(size: SizeName, model: EncoderConfig): (keyof EncoderConfig)[] {
  const named = encoderConfig(size, model.vocabSize);
  return NAMED.filter((name) => named[name] !== model[name]);
}

/**
 * What the models decide of a run's settings.
 * @param given  names of the settings that were given
 */
export function startSettings(parsed: Given, start: StartSizes, given: ReadonlySet<string>) {
  const { family, model, generator } = start;
  const definition = definitionOf(parsed);
  const [usual, ...others] = definition.families;
  const ofModel = model && { model: { initializerRange: model.initializerRange, ...parsed.model, ...sizesOf(model) } };
  return {
    ...(family !== usual && others.includes(family) && { family }),
    ...ofModel,
    ...(generator && { generator: { ...parsed.generator, ...sizesOf(generator) } }),
    ...definition.startSettings?.(parsed, start, given),
  };
}

/** Settings that say otherwise than the models, one sentence each. */
export function startContradictions(parsed: Given, start: StartSizes, given: ReadonlySet<string>): string[] {
  const { from = '', generatorFrom = from } = parsed;
  const { model, generator } = start;
  const problems: string[] = [];
  const compare = (name: string, value: unknown, source: string, found: unknown) => {
    if (value === found) return;
    problems.push(
      `${settingName(name)} is ${value}, and ${source} has ${found}; leave it out, or begin without ${settingName('from')}`,
    );
  };
  if (parsed.size !== undefined && model) {
    const named = encoderConfig(parsed.size, model.vocabSize);
    const other = differences(parsed.size, model);
    const list = (config: EncoderConfig) => other.map((name) => `${name} ${config[name]}`).join(', ');
    if (other.length > 0) {
      problems.push(
        `${settingName('size')} is ${parsed.size} (${list(named)}), and ${from} has ${list(model)}; leave it out, or begin without ${settingName('from')}`,
      );
    }
  }
  const compareFields = (name: string, fields: Fields, source: string, config: EncoderConfig) => {
    for (const field of FROM_WEIGHTS) {
      if (fields[field] !== undefined) compare(`${name}.${field}`, fields[field], source, config[field]);
    }
  };
  if (model) compareFields('model', parsed.model, from, model);
  if (generator) {
    compareFields('generator', parsed.generator, generatorFrom, generator);
    const { generatorSizeFraction: width, generatorLayerFraction: depth } = parsed;
    const derived = generatorConfig(model ?? generator, {
      sizeFraction: width ?? 1,
      ...(depth !== undefined && { layerFraction: depth }),
    });
    if (given.has('generatorSizeFraction') && derived.hiddenSize !== generator.hiddenSize) {
      compare('generatorSizeFraction', width, generatorFrom, `a generator ${generator.hiddenSize} wide`);
    }
    if (given.has('generatorLayerFraction') && derived.numHiddenLayers !== generator.numHiddenLayers) {
      compare('generatorLayerFraction', depth, generatorFrom, `a generator of ${generator.numHiddenLayers} layers`);
    }
  }
  const decided = definitionOf(parsed).startValues?.(parsed, start) ?? {};
  for (const [name, found] of Object.entries(decided)) {
    if (given.has(name)) compare(name, parsed[name as keyof Given], from, found);
  }
  return problems;
}

/** What is looked at of a run's settings. */
interface Beginning {
  readonly objective: string;
  readonly generatorKind: 'model' | 'uniform' | 'unigram';
  readonly initialization: string;
  readonly from?: string;
  readonly generatorFrom?: string;
  readonly revision?: string;
  readonly generatorRevision?: string;
  readonly newGenerator?: boolean;
  readonly newHead?: boolean;
  readonly freezeGenerator?: boolean;
  readonly freezeEmbeddings?: boolean;
}

/** Settings of how a run begins that are each in range and do not go together. */
export function beginningContradictions(s: Beginning, given: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  const refuse = (wrong: boolean, problem: string) => wrong && problems.push(problem);
  const { from, generatorFrom } = s;
  if (from === undefined) {
    const isReady = s.freezeGenerator === true && generatorFrom !== undefined;
    refuse(
      s.freezeGenerator === true && !isReady,
      `${settingName('freezeGenerator')} is set, and neither ${settingName('from')} nor ${settingName('generator')} says where a ready masked LM is`,
    );
    for (const name of ['revision', 'newGenerator', 'newHead', 'freezeEmbeddings'] as const) {
      refuse(
        Boolean(s[name]),
        `${settingName(name)} is set and ${settingName('from')} is not; all weights are new then`,
      );
    }
    refuse(
      generatorFrom !== undefined && !isReady,
      `${settingName('generator')} is ${JSON.stringify(generatorFrom)} and ${settingName('from')} is not set; give the discriminator that it belongs to (${settingName('from')}), or fields of the generator with their values, for instance hiddenSize`,
    );
  }
  refuse(
    s.generatorRevision !== undefined && generatorFrom === undefined,
    `${settingName('generatorRevision')} is set, and ${settingName('generator')} does not say where the generator is`,
  );
  refuse(
    s.newGenerator === true && generatorFrom !== undefined,
    `${settingName('generator')} and ${settingName('newGenerator')} are both set; give one: the weights of a generator, or new ones`,
  );
  refuse(
    s.newGenerator === true && !definitionOf(s).hasGenerator,
    `${settingName('newGenerator')} is set and ${settingName('objective')} is ${s.objective}, which has none`,
  );
  refuse(
    (s.newGenerator === true || generatorFrom !== undefined) && s.generatorKind !== 'model',
    `${settingName('generatorKind')} is ${s.generatorKind}, which has no weights, and ${settingName(generatorFrom === undefined ? 'newGenerator' : 'generator')} is set; give one`,
  );
  if (from === undefined) return problems;
  refuse(
    given.has('initialization') && s.initialization === 'local',
    `${settingName('initialization')} is local, which needs positions that start as sinusoids, and ${settingName('from')} is set, whose positions are trained; expected corrected or reference`,
  );
  return problems;
}
