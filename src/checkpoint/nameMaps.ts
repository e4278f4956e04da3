/**
 * How the tensors of published checkpoints are called, as tables: from the names of google-research/electra (TensorFlow 1),
 * of SpanBERT's original files (fairseq) and of early PyTorch BERTs to those of Hugging Face state dicts, which are ours.
 */
import type { ModelFamily } from '../models/modelGraph.js';

/** What becomes of a tensor of a file. */
export type MappedName =
  | {
      /** Its name in a Hugging Face state dict. */
      readonly to: string;
      /** A TensorFlow kernel is [in, out], a PyTorch weight [out, in]. */
      readonly transposed: boolean;
    }
  | { readonly unused: string };

export type NameMap = (name: string) => MappedName;

/** The two models in one ELECTRA checkpoint. */
export type ElectraHalf = 'discriminator' | 'generator';

/** What is in a file and is no weight. */
const NO_WEIGHTS: readonly (readonly [RegExp, string])[] = [
  [/(^|\.)position_ids$/, 'a buffer, the numbers 0, 1, 2, …'],
  [/\/adam_[mv]$|\/Adam(_1)?$/, 'a moment of the optimizer'],
  [/^global_step$/, 'the number of training steps'],
  [/^(beta[12]_power|temperature)$/, 'a setting of the training'],
];

/** What our models and those of transformers have no place for. */
const NO_PLACE: readonly (readonly [RegExp, string])[] = [
  [/^task_specific\//, 'a fine-tuning head of google-research/electra'],
  [/^(generator_ltr|generator_rtl|cloze_predictions)\//, "Electric's generator"],
];

/** Variable (after its scope) → key, with `$n` for the layer. Kernels are transposed. */
const TENSORFLOW_ENCODER: readonly (readonly [RegExp, string])[] = [
  [/^embeddings\/(word|position|token_type)_embeddings$/, 'embeddings.$1_embeddings.weight'],
  [/^embeddings\/LayerNorm\/(gamma|beta)$/, 'embeddings.LayerNorm.$1'],
  [/^embeddings_project\/(kernel|bias)$/, 'embeddings_project.$1'],
  [
    /^encoder\/layer_(\d+)\/attention\/self\/(query|key|value)\/(kernel|bias)$/,
    'encoder.layer.$1.attention.self.$2.$3',
  ],
  [/^encoder\/layer_(\d+)\/attention\/output\/dense\/(kernel|bias)$/, 'encoder.layer.$1.attention.output.dense.$2'],
  [
    /^encoder\/layer_(\d+)\/attention\/output\/LayerNorm\/(gamma|beta)$/,
    'encoder.layer.$1.attention.output.LayerNorm.$2',
  ],
  [/^encoder\/layer_(\d+)\/(intermediate|output)\/dense\/(kernel|bias)$/, 'encoder.layer.$1.$2.dense.$3'],
  [/^encoder\/layer_(\d+)\/output\/LayerNorm\/(gamma|beta)$/, 'encoder.layer.$1.output.LayerNorm.$2'],
];

const TENSORFLOW_HEADS: Readonly<Record<ElectraHalf, readonly (readonly [RegExp, string])[]>> = {
  discriminator: [
    [/^discriminator_predictions\/dense\/(kernel|bias)$/, 'discriminator_predictions.dense.$1'],
    [/^discriminator_predictions\/dense_1\/(kernel|bias)$/, 'discriminator_predictions.dense_prediction.$1'],
  ],
  generator: [
    [/^generator_predictions\/dense\/(kernel|bias)$/, 'generator_predictions.dense.$1'],
    [/^generator_predictions\/LayerNorm\/(gamma|beta)$/, 'generator_predictions.LayerNorm.$1'],
    [/^generator_predictions\/output_bias$/, 'generator_lm_head.bias'],
  ],
};

/** Last part of a name in TensorFlow and in early PyTorch files → in a state dict. */
const LAST_PART: Readonly<Record<string, string>> = { kernel: 'weight', gamma: 'weight', beta: 'bias' };

/** Whether names are those of google-research/electra. */
export function isTensorflowElectra(names: Iterable<string>): boolean {
  for (const name of names) if (/^(electra|generator)\/(embeddings|encoder)\//.test(name)) return true;
  return false;
}

/**
 * The map of one half of a google-research/electra checkpoint. The embeddings are shared and called `electra/embeddings`,
 * unless the training kept them apart (`untied_generator_embeddings`); the generator has a scope of its own, unless it was
 * tied as a whole (`untied_generator=False`, and the masked language models of that code).
 * @param names  of all variables
 */
export function tensorflowElectraMap(half: ElectraHalf, names: Iterable<string>): NameMap {
  const all = [...names];
  const has = (start: string) => all.some((name) => name.startsWith(start));
  const generatorScope = has('generator/encoder/') ? 'generator/' : 'electra/';
  const embeddingScope = half === 'generator' && has('generator/embeddings/') ? 'generator/' : 'electra/';
  const encoderScope = half === 'generator' ? generatorScope : 'electra/';
  const otherHalf = half === 'generator' ? 'discriminator' : 'generator';
  return (name) => {
    const known = reasonIn(NO_WEIGHTS, name) ?? reasonIn(NO_PLACE, name);
    if (known) return { unused: known };
    const scope = /^(electra|generator)\//.exec(name)?.[0];
    if (scope) {
      const rest = name.slice(scope.length);
      const wanted = rest.startsWith('embeddings/') ? embeddingScope : encoderScope;
      const key = rewrite(TENSORFLOW_ENCODER, rest);
      if (key === undefined) return { unused: 'an unknown variable' };
      return scope === wanted ? mapped(`electra.${key}`) : { unused: `of the ${otherHalf}` };
    }
    const key = rewrite(TENSORFLOW_HEADS[half], name);
    if (key !== undefined) return mapped(key);
    return { unused: rewrite(TENSORFLOW_HEADS[otherHalf], name) ? `of the ${otherHalf}` : 'an unknown variable' };
  };
}

/**
 * What stands before or inside names of PyTorch files, in the order in which it is taken away. SpanBERT's original files
 * have everything under `decoder.` (but `cls.predictions.decoder.weight` keeps its own); DataParallel and torch.compile
 * wrap a model and its names.
 */
const TORCH_RENAMES: readonly (readonly [RegExp, string])[] = [
  [/^(module\.|_orig_mod\.)+/, ''],
  [/^(decoder|model)\.(?=(bert|electra|cls)\.)/, ''],
  [/((?:^|\.)(?:LayerNorm|layer_norm\d?))\.gamma$/, '$1.weight'],
  [/((?:^|\.)(?:LayerNorm|layer_norm\d?))\.beta$/, '$1.bias'],
  // The span boundary head: no class of transformers has it, so its names are ours.
  [/^cls\.pair_target_predictions\.mlp_layer_norm\.linear1\./, 'sbo.layer_0.dense.'],
  [/^cls\.pair_target_predictions\.mlp_layer_norm\.layer_norm1\./, 'sbo.layer_0.LayerNorm.'],
  [/^cls\.pair_target_predictions\.mlp_layer_norm\.linear2\./, 'sbo.layer_1.dense.'],
  [/^cls\.pair_target_predictions\.mlp_layer_norm\.layer_norm2\./, 'sbo.layer_1.LayerNorm.'],
  [/^cls\.pair_target_predictions\./, 'sbo.'],
];

/** First parts of an encoder that was saved by itself, without its prefix. */
const BARE_ENCODER = /^(embeddings|embeddings_project|encoder|pooler)\./;

/** The map of PyTorch and safetensors files. @param prefix  of the model to be loaded; put before a bare encoder's names */
export function torchMap(prefix: ModelFamily): NameMap {
  return (name) => {
    const unused = reasonIn(NO_WEIGHTS, name);
    if (unused) return { unused };
    const renamed = TORCH_RENAMES.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), name);
    return { to: BARE_ENCODER.test(renamed) ? `${prefix}.${renamed}` : renamed, transposed: false };
  };
}

function reasonIn(table: readonly (readonly [RegExp, string])[], name: string): string | undefined {
  return table.find(([pattern]) => pattern.test(name))?.[1];
}

function rewrite(table: readonly (readonly [RegExp, string])[], name: string): string | undefined {
  const rule = table.find(([pattern]) => pattern.test(name));
  return rule && name.replace(rule[0], rule[1]);
}

function mapped(key: string): MappedName {
  const last = /[^.]+$/.exec(key)![0];
  return { to: key.slice(0, -last.length) + (LAST_PART[last] ?? last), transposed: last === 'kernel' };
}

/**
 * Tensors that repeat another, by head: files may hold both, or either. Output matrices are the word embeddings; of
 * SpanBERT's boundary objective too, with a bias of its own (arXiv 1907.10529 §3.2).
 */
export const TIED_TENSORS = {
  electraGenerator: { 'generator_lm_head.weight': 'electra.embeddings.word_embeddings.weight' },
  bertMaskedLm: {
    'cls.predictions.decoder.weight': 'bert.embeddings.word_embeddings.weight',
    'cls.predictions.decoder.bias': 'cls.predictions.bias',
  },
  spanBoundary: { 'sbo.decoder.weight': 'bert.embeddings.word_embeddings.weight' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, string>>>>;
