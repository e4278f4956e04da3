/**
 * Pre-training objectives built from ELECTRA's parts, each one graph from the batch to the gradients: replaced-token
 * detection (paper §2) and the paper's own comparisons (§3.4, table 5).
 *
 *   L = w·L_MLM(generator) + λ·L_Disc(discriminator),  λ = 50
 *   L_MLM  = mean over masked slots of −log p_G(x_t | x^masked)
 *   L_Disc = mean over tokens of −[x^corrupt_t = x_t] log(1 − D_t) − [x^corrupt_t ≠ x_t] log D_t,  D = P(replaced)
 *
 * Nothing flows back through sampling: proposals come from a comparison, which has no derivative.
 */
import type { MaskedBatch } from '../data/maskedBatch.js';
import { float32Tensor } from '../engine/tensors.js';
import { SettingsError } from '../errors/errors.js';
import { RandomStream } from '../random/philox.js';
import { settingName } from '../settings/settingNames.js';
import { GraphPhase, type Loss } from '../training/graphPhase.js';
import type { DrawKey, LossCounts, ModelExport } from '../training/objective.js';
import {
  corrupt,
  DISENTANGLED,
  type ElectraBuild,
  type ElectraConfig,
  generatorLogits,
  isEmbedding,
  temperatureFeeds,
} from './electraGraph.js';
import {
  GENERATOR_SETTINGS,
  type GeneratorSettings,
  generatorContradictions,
  sharingProblems,
} from './generatorSettings.js';
import {
  allTokensLoss,
  discriminatorLoss,
  type MainLoss,
  replacedSlotLoss,
  slotDiscriminatorLoss,
} from './mainLosses.js';
import { MASKED_BATCHES, type MaskedPhase } from './maskedInputs.js';
import { DETECTION_COUNTERS } from './metrics.js';
import { type CommonSettings, defineObjective, type HeadWork } from './objectiveDefinition.js';
import { type PretrainingObjective, pretrainingObjective } from './pretrainingObjective.js';

/** In what the objectives differ. */
interface Variant {
  /** What the main encoder learns of the corrupted text, and what that loss is averaged over. */
  readonly mainLoss: MainLoss;
  readonly over: 'tokens' | 'slots';
  /** Whether the main encoder scores tokens as replaced, or predicts them. */
  readonly detects: boolean;
  readonly headWork: HeadWork;
  /** First the generator alone, then the discriminator, which begins as a copy of it (§3.2). */
  readonly isTwoStage?: boolean;
}

const DETECTION = { mainLoss: discriminatorLoss, over: 'tokens', detects: true, headWork: { detection: 1 } } as const;

const VARIANTS = {
  electra: DETECTION,
  'electra-15': { ...DETECTION, mainLoss: slotDiscriminatorLoss, over: 'slots' },
  'replace-mlm': { mainLoss: replacedSlotLoss, over: 'slots', detects: false, headWork: { vocabularyAtSlots: 1 } },
  'all-tokens-mlm': { mainLoss: allTokensLoss, over: 'tokens', detects: false, headWork: { vocabularyAtTokens: 1 } },
  'two-stage': { ...DETECTION, isTwoStage: true },
} as const satisfies Readonly<Record<string, Variant>>;

export type ElectraName = keyof typeof VARIANTS;

/** Config values and sizes that do not go together, one sentence each. */
function electraProblems(name: ElectraName, config: ElectraConfig): string[] {
  const { discriminator, generator, generatorKind, unigramCounts } = config;
  const { isTwoStage }: Variant = VARIANTS[name];
  const problems = [
    ...generatorContradictions(config),
    ...(isTwoStage ? twoStageContradictions(name, config) : []),
    ...sharingProblems({ ...config, ...(isTwoStage && { copiedBy: name }) }, { discriminator, generator }),
  ];
  if (generatorKind === 'unigram' && unigramCounts?.length !== discriminator.vocabSize) {
    problems.push(
      `${settingName('generatorKind')} unigram needs a count for each of ${discriminator.vocabSize} tokens, got ${unigramCounts?.length ?? 0}`,
    );
  }
  for (const key of ['temperature', 'temperatureEnd'] as const) {
    if (!((config[key] ?? 1) > 0)) problems.push(`${settingName(key)} is ${config[key]}; expected a number above 0`);
  }
  for (const key of ['mlmWeight', 'discWeight'] as const) {
    if (!(config[key] >= 0)) problems.push(`${settingName(key)} is ${config[key]}; expected 0 or more`);
  }
  return problems;
}

function twoStageContradictions(
  name: string,
  { sharing, generatorKind, from }: GeneratorSettings & { readonly from?: string },
): string[] {
  const problems: string[] = [];
  const refuse = (wrong: boolean, problem: string) => wrong && problems.push(problem);
  refuse(
    sharing !== 'none',
    `${settingName('sharing')} is ${sharing} and ${settingName('objective')} is ${name}, which freezes the generator; expected none`,
  );
  refuse(
    generatorKind !== 'model',
    `${settingName('generatorKind')} is ${generatorKind} and ${settingName('objective')} is ${name}, which trains a model first`,
  );
  refuse(
    from !== undefined,
    `${settingName('objective')} is ${name}, whose discriminator begins as its generator, and ${settingName('from')} is set; expected electra`,
  );
  return problems;
}

type Part = 'joint' | 'generator' | 'discriminator';

/** Builds the losses of an objective (of one phase of it, in two stages), naming the outputs on the way. */
function buildLosses(build: ElectraBuild, part: Part, { mainLoss }: Variant): Loss[] {
  const { config } = build;
  const { logits, loss } = generatorLogits(build);
  const isTrained = part !== 'discriminator' && !config.freezeGenerator;
  const losses: Loss[] = loss && isTrained ? [{ name: 'mlm', sum: loss, weight: config.mlmWeight }] : [];
  if (part === 'generator') return losses;
  const { corrupted, isReplaced } = corrupt(build, logits);
  return [...losses, { name: 'disc', sum: mainLoss(build, corrupted, isReplaced), weight: config.discWeight }];
}

function phasesOf(name: ElectraName, config: ElectraConfig): MaskedPhase[] {
  const variant: Variant = VARIANTS[name];
  const phase = (part: Part, share: number, copies?: readonly (readonly [string, string])[]) =>
    new GraphPhase(MASKED_BATCHES, {
      name: part === 'joint' ? name : part,
      share,
      copies,
      trains: (parameter) =>
        !(config.freezeEmbeddings && isEmbedding(parameter)) &&
        (part === 'joint'
          ? !(config.freezeGenerator && parameter.startsWith('generator.'))
          : parameter.startsWith(`${part}.`)),
      build: (build) => buildLosses({ ...build, config }, part, variant),
      counts: (batch) => countsOf(variant, batch),
      feeds: (batch, draw) => ({
        uniforms: float32Tensor(drawUniforms(batch, draw)),
        ...temperatureFeeds(config, draw.progress),
      }),
    });
  if (!variant.isTwoStage) return [phase('joint', 1)];
  const generator = phase('generator', 0.5);
  // Without starting from the generator's weights, "the discriminator would sometimes fail to learn" (paper §3.2).
  const copies = generator
    .parameters()
    .filter((parameter) => !isOwnHead(parameter.name))
    .map((parameter) => [parameter.name, parameter.name.replace(/^generator\./, 'discriminator.')] as const);
  return [generator, phase('discriminator', 0.5, copies)];
}

const MLM_HEAD = ['generator_predictions', 'generator_lm_head'];

function isOwnHead(name: string): boolean {
  return MLM_HEAD.some((head) => name.includes(head));
}

function countsOf({ over }: Variant, { maskedWeights, attentionMask }: MaskedBatch): LossCounts {
  const slots = sum(maskedWeights);
  return { mlm: slots, disc: over === 'slots' ? slots : sum(attentionMask) };
}

function sum(values: Int32Array | Float32Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** One uniform number a slot; the slots of a row draw from the row's own stream, in their order. */
function drawUniforms(
  { batchSize, length, maskedPositions, maskedWeights }: MaskedBatch,
  { seed, step, firstRow }: DrawKey,
): Float32Array {
  const streams = Array.from(
    { length: batchSize },
    (_, row) => new RandomStream(seed, 'proposals', step, firstRow + row),
  );
  // What a slot that is padding would draw is never looked at.
  return Float32Array.from(maskedPositions, (position, slot) =>
    maskedWeights[slot] === 0 ? 0.5 : streams[Math.floor(position / length)].uniform(),
  );
}

/** The model folders that a set of parameters makes. */
function modelsOf(config: ElectraConfig, { detects }: Variant, names: readonly string[]): ModelExport[] {
  const inScope = (half: string, keep: (name: string) => boolean) =>
    new Map(
      names
        .filter((name) => name.startsWith(`${half}.`) && keep(name))
        .map((name) => [name.slice(half.length + 1), name]),
    );
  const isDifference = (name: string) => name.endsWith('.difference');
  const main = inScope('discriminator', (name) => !name.includes('copy_gate') && !isDifference(name));
  const sums = new Map(
    (config.sharing === 'gdes' ? DISENTANGLED : []).map((table) => {
      const published = `electra.embeddings.${table}`;
      const pair = [`generator.${published}.weight`, `discriminator.${published}.difference`] as const;
      return [`${published}.weight`, pair] as const;
    }),
  );
  const discriminator: ModelExport = {
    folder: 'discriminator',
    architecture: detects ? 'ElectraForPreTraining' : 'ElectraForMaskedLM',
    config: config.discriminator,
    tensors: main,
    ...(sums.size > 0 && { sums }),
  };
  if (config.generatorKind !== 'model') return [discriminator];
  const sharedPrefix = { none: undefined, gdes: undefined, embeddings: 'electra.embeddings.', encoder: 'electra.' }[
    config.sharing
  ];
  const shared = [...main].filter(([key]) => sharedPrefix !== undefined && key.startsWith(sharedPrefix));
  const own = inScope('generator', () => true);
  return [
    {
      folder: 'generator',
      architecture: 'ElectraForMaskedLM',
      config: config.generator,
      tensors: new Map([...shared, ...own]),
    },
    discriminator,
  ];
}

/** @throws SettingsError with everything that contradicts itself */
export function createElectra(name: ElectraName, config: ElectraConfig): PretrainingObjective {
  const problems = electraProblems(name, config);
  if (problems.length) throw new SettingsError(problems);
  const phases = phasesOf(name, config);
  const parameters = phases.at(-1)!.parameters();
  return pretrainingObjective({
    name,
    parameters,
    phases,
    lossWeights: { mlm: config.freezeGenerator ? 0 : config.mlmWeight, disc: config.discWeight },
    counters: DETECTION_COUNTERS,
    models: modelsOf(
      config,
      VARIANTS[name],
      parameters.map((parameter) => parameter.name),
    ),
  });
}

type ElectraSettings = CommonSettings &
  GeneratorSettings &
  Pick<
    ElectraConfig,
    'proposals' | 'temperature' | 'temperatureEnd' | 'freezeGenerator' | 'freezeEmbeddings' | 'disallowCorrect'
  >;

function electraDefinition<N extends ElectraName>(name: N) {
  const { detects, headWork, isTwoStage }: Variant = VARIANTS[name];
  return defineObjective<N, ElectraSettings, typeof GENERATOR_SETTINGS.fields>({
    name,
    own: GENERATOR_SETTINGS,
    families: ['electra'],
    hasGenerator: true,
    main: () => ({
      role: 'discriminator',
      task: detects ? 'preTraining' : 'maskedLm',
      roles: ['discriminator', 'model', 'generator'],
    }),
    headWork: () => headWork,
    contradictions: generatorContradictions,
    ...(isTwoStage && {
      copiesGenerator: true,
      defaults: () => ({ generatorSizeFraction: 1, sharing: 'none' }),
      contradictions: (settings) => [...generatorContradictions(settings), ...twoStageContradictions(name, settings)],
    }),
    build: (settings, { encoder, generator, unigramCounts, absentIds }) =>
      createElectra(name, {
        ...settings,
        discriminator: encoder,
        generator,
        ...(settings.generatorKind === 'unigram' && { unigramCounts: unigramCounts() }),
        ...(absentIds && { absentIds }),
      }),
  });
}

export const electra = { ...electraDefinition('electra'), hasRecordedAuc: true } as const;
export const electra15 = { ...electraDefinition('electra-15'), hasRecordedAuc: true } as const;
export const replaceMlm = electraDefinition('replace-mlm');
export const allTokensMlm = electraDefinition('all-tokens-mlm');
export const twoStage = electraDefinition('two-stage');
