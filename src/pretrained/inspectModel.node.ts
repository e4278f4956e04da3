/** What a checkpoint is, read off its names and shapes: no weight is read. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { headScopesIn, planModel } from '../checkpoint/loadModel.js';
import type { LoadPlan } from '../checkpoint/loadPlan.js';
import { expectedTensors, familyOf, type ModelDescription } from '../checkpoint/modelFolder.js';
import type { TensorFormat } from '../checkpoint/tensorSource.js';
import { PleiadError } from '../errors/errors.js';
import { elementCount } from '../graph/dimensions.js';
import type { FetchedModel } from '../hub/fetchModel.node.js';
import { hasTokenizer, loadTokenizer } from '../text/tokenizer.node.js';
import type { TokenizerOverrides } from '../text/tokenizerFolder.js';
import { checkVocabulary } from './checkVocabulary.js';
import { innerPlace, type ModelRole, membersOf, resolveCheckpoint } from './modelPlaces.node.js';
import { type OpenedPretrained, type OpenPretrainedOptions, withPretrained } from './openPretrained.node.js';
import { taskOfHalf } from './pretrained.node.js';

export interface InspectOptions extends OpenPretrainedOptions, TokenizerOverrides {}

export interface Inspection {
  readonly folder: string;
  readonly hub?: FetchedModel['hub'];
  /** What it is loaded as. */
  readonly model: ModelDescription;
  /** Whether its sizes were read off its tensors, for want of a config.json. */
  readonly guessedConfig: boolean;
  /** Of the whole model, with its head. */
  readonly parameters: number;
  /** Heads of which the files have tensors, by the scope of their names; `pooler` is BERT's. */
  readonly heads: readonly string[];
  readonly weights: { readonly format: TensorFormat; readonly dtypes: readonly string[] };
  /** What the model needs and the files do not have: it would start at random. */
  readonly missing: LoadPlan['missing'];
  readonly unused: LoadPlan['unused'];
  /** Undefined where there is none. */
  readonly tokenizer?: TokenizerInspection;
  readonly licence: LicenceNote;
}

export type TokenizerInspection =
  | { readonly tokens: number; readonly lowercase: boolean }
  /** Why it cannot be used as it is. */
  | { readonly problem: string };

export interface LicenceNote {
  /** Undefined where nothing says. */
  readonly name?: string;
  /** Who says so, or where to look. */
  readonly source: string;
}

/**
 * Inspects the models of a run or checkpoint, or the one model of any other place.
 * @param given  as `loadPretrained`
 * @throws CheckpointError when there is no such model, it is damaged, or its encoder is not what its config says
 */
export async function inspectModels(given: string, options: InspectOptions = {}): Promise<Inspection[]> {
  const place = innerPlace(given);
  const checkpoint = existsSync(join(place, 'config.json')) ? undefined : resolveCheckpoint(place);
  const roles: ModelRole[] = ['discriminator', 'generator', 'model'];
  const folders = checkpoint
    ? roles.map((role) => join(checkpoint, role)).filter((folder) => existsSync(folder))
    : membersOf(place);
  if (folders.length === 0 || options.half) return [await inspect(place, options)];
  const models: Inspection[] = [];
  for (const folder of folders) models.push(await inspect(folder, options));
  return models;
}

function inspect(place: string, options: InspectOptions): Promise<Inspection> {
  return withPretrained(place, { ...options, also: [...CARDS, ...LICENCES] }, async (opened) => {
    const { source, published, guessedConfig, folder, hub } = opened;
    // A head that is missing is told, not refused.
    const { model, plan } = planModel(source, published, { ...options, ...taskOfHalf(options), newHead: true });
    const tokenizer = hasTokenizer(folder) ? inspectTokenizer(folder, model, options) : undefined;
    return {
      folder,
      ...(hub && { hub }),
      model,
      guessedConfig,
      parameters: [...expectedTensors(model).values()].reduce((sum, shape) => sum + elementCount(shape), 0),
      heads: headScopesIn(source, familyOf(model.architecture)),
      weights: { format: source.format, dtypes: [...new Set(plan.tensors.map(({ dtype }) => dtype))] },
      missing: plan.missing,
      unused: plan.unused,
      ...(tokenizer && { tokenizer }),
      licence: licenceOf(opened),
    };
  });
}

function inspectTokenizer(
  folder: string,
  { config }: ModelDescription,
  overrides: TokenizerOverrides,
): TokenizerInspection {
  try {
    const tokenizer = loadTokenizer(folder, overrides);
    checkVocabulary(tokenizer, config, folder);
    return { tokens: tokenizer.vocabSize, lowercase: tokenizer.settings.lowercase };
  } catch (error) {
    // What is wrong with it is worth knowing, and no reason to say nothing of the model.
    if (error instanceof PleiadError) return { problem: error.message };
    throw error;
  }
}

const CARDS = ['README.md'];
const LICENCES = ['LICENSE', 'LICENSE.txt', 'LICENSE.md'];

/** Released models whose repositories may say nothing, with what their authors said elsewhere. */
const RELEASED: readonly (readonly [name: RegExp, licence: string, source: string])[] = [
  [/^google\/electra-/, 'Apache-2.0', 'google-research/electra'],
  [
    /^SpanBERT\//i,
    'CC BY-NC 4.0, not for commercial use',
    'facebookresearch/SpanBERT, whose README says so of the weights too',
  ],
];

/** What the folder itself says: the `license` of its model card, else its LICENSE; else what is known of its author. */
function licenceOf({ folder, hub }: Pick<OpenedPretrained, 'folder' | 'hub'>): LicenceNote {
  return licenceIn(folder, hub?.repository);
}

/** As `licenceOf`. @param repository  of a model that came by name */
export function licenceIn(folder: string, repository = ''): LicenceNote {
  const cards = CARDS.map((name) => join(folder, name)).filter((path) => existsSync(path));
  for (const card of cards) {
    const name = licenceInCard(readFileSync(card, 'utf8'));
    if (name) return { name, source: card };
  }
  const file = LICENCES.map((name) => join(folder, name)).find((path) => existsSync(path));
  if (file) return { source: file };
  const released = RELEASED.find(([name]) => name.test(repository));
  if (released) return { name: released[1], source: released[2] };
  return { source: 'no file says; look where it comes from' };
}

/** `license` in the YAML between two lines `---` at the beginning of a model card; `license_name` where that is "other". */
function licenceInCard(card: string): string | undefined {
  const header = /^\uFEFF?---\r?\n([\s\S]*?)\r?\n---/.exec(card)?.[1] ?? '';
  const field = (name: string) =>
    new RegExp(`^${name}:[ \\t]*["']?([^"'\\s#][^"'\\r\\n#]*)`, 'm').exec(header)?.[1].trim();
  const licence = field('license');
  return licence === 'other' ? (field('license_name') ?? licence) : licence;
}
