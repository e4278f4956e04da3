/**
 * A model loaded as one of the other kind: an ELECTRA and a BERT have the same encoder under other names, and where embeddings
 * are as wide as hidden states their masked-LM heads are the same too (dense, GELU, layer norm, product with the word table).
 * Or its first layers alone, as a generator that begins as the lower part of a larger model.
 */
import { CheckpointError } from '../errors/errors.js';
import type { ModelFamily } from '../models/modelGraph.js';
import type { PublishedDescription } from './modelFolder.js';
import type { MappedName } from './nameMaps.js';

/** As what a model is to be loaded. */
export interface LoadAs {
  /** Kinds of encoders that will do. A model of the other kind is loaded as the first. Default: as what it is. */
  readonly families?: readonly ModelFamily[];
  /** How many layers to take, from the first on. Default: all. */
  readonly layers?: number;
}

/** What was done to a model that was not loaded as what it is. */
export interface TakenAs {
  /** The kind that it is of, and the one that it was loaded as. */
  readonly renamed?: { readonly from: ModelFamily; readonly to: ModelFamily };
  /** Layers that were taken, and that it has. */
  readonly layers?: { readonly taken: number; readonly of: number };
}

/** What becomes of a published name. */
export type Rename = (name: string) => MappedName;

export interface OtherForm {
  readonly published: PublishedDescription;
  /** After the map of the file's own names; undefined where nothing changes. */
  readonly rename?: Rename;
  readonly taken?: TakenAs;
}

/**
 * What config.json says, as it would be of a model in the wanted form.
 * @throws CheckpointError when an ELECTRA with an embedding projection is to become a BERT, which has none
 */
export function inOtherForm(published: PublishedDescription, { families, layers }: LoadAs, source: string): OtherForm {
  const { family: from, config } = published;
  const to = !families || families.includes(from) ? from : families[0];
  const { numHiddenLayers: of } = config;
  const taken = layers !== undefined && layers < of ? layers : of;
  if (to === from && taken === of) return { published };
  if (to === 'bert' && from !== to && config.embeddingSize !== config.hiddenSize) {
    throw new CheckpointError(
      `${source} is an ELECTRA with embeddings of ${config.embeddingSize} and hidden states of ${config.hiddenSize}, and is to be trained as a BERT, which has no embedding projection`,
      {
        subject: source,
        found: config.embeddingSize,
        expected: `embeddings as wide as hidden states, ${config.hiddenSize}`,
        advice: 'Choose an objective that trains an ELECTRA, such as electra or mlm',
      },
    );
  }
  const cut = { ...published, config: { ...config, numHiddenLayers: taken } };
  const { architecture: _, labels: __, spanBoundary: ___, unfit, ...others } = cut;
  return {
    published: to === from ? cut : { ...others, family: to, ...(unfit?.tied && { unfit: { tied: unfit.tied } }) },
    rename: (name) => firstLayers(taken, of, to === from ? { to: name, transposed: false } : RENAMES[to](name)),
    taken: {
      ...(to !== from && { renamed: { from, to } }),
      ...(taken < of && { layers: { taken, of } }),
    },
  };
}

function firstLayers(layers: number, of: number, mapped: MappedName): MappedName {
  const layer = 'to' in mapped && /\.encoder\.layer\.(\d+)\./.exec(mapped.to)?.[1];
  if (!layer || Number(layer) < layers || Number(layer) >= of) return mapped;
  return { unused: `of a layer above the first ${layers}` };
}

type RenameTable = readonly (readonly [RegExp, string | { readonly unused: string }])[];

/** Heads that are the same function under another name, and parts that the other kind has no place for. */
const TO_ELECTRA: RenameTable = [
  [/^(bert|electra)\.pooler\./, { unused: "BERT's pooler, which an ELECTRA does not have" }],
  [/^bert\./, 'electra.'],
  [/^cls\.predictions\.transform\.(dense|LayerNorm)\./, 'generator_predictions.$1.'],
  [/^cls\.predictions\.bias$/, 'generator_lm_head.bias'],
  [/^cls\.predictions\.decoder\.weight$/, 'generator_lm_head.weight'],
  [/^cls\.predictions\.decoder\.bias$/, { unused: 'the same as cls.predictions.bias' }],
  [/^cls\.seq_relationship\./, { unused: "BERT's next-sentence head, which an ELECTRA does not have" }],
  [/^sbo\./, { unused: 'a span boundary head, which an ELECTRA does not have' }],
];
const TO_BERT: RenameTable = [
  [/^electra\./, 'bert.'],
  [/^generator_predictions\.(dense|LayerNorm)\./, 'cls.predictions.transform.$1.'],
  [/^generator_lm_head\.bias$/, 'cls.predictions.bias'],
  [/^generator_lm_head\.weight$/, 'cls.predictions.decoder.weight'],
];

const RENAMES: Readonly<Record<ModelFamily, Rename>> = { electra: renaming(TO_ELECTRA), bert: renaming(TO_BERT) };

function renaming(table: RenameTable): Rename {
  return (name) => {
    const found = table.find(([pattern]) => pattern.test(name));
    if (!found) return { to: name, transposed: false };
    const [pattern, replacement] = found;
    return typeof replacement === 'string'
      ? { to: name.replace(pattern, replacement), transposed: false }
      : replacement;
  };
}
