/** The options that name a model and say how its tokenizer reads. */
import { CheckpointError, SettingsError } from '../errors/errors.js';
import { boxedFolder } from '../hub/modelsPackage.node.js';
import type { LoadOptions } from '../pipelines/load.node.js';
import type { OptionDefinition, OptionValues } from './command.js';
import { hubView } from './hubView.js';
import type { Output } from './output.js';

export const MODEL_OPTION: OptionDefinition = {
  flags: '--model <name>',
  description: 'a run folder (its best checkpoint), a checkpoint, a model folder, or the name of a model in the box',
};

export const REVISION_OPTION: OptionDefinition = {
  flags: '--revision <name>',
  description: 'branch, tag or commit of a model on the hub. Default main.',
};

export const CASING_OPTIONS: readonly OptionDefinition[] = [
  { flags: '--cased', description: 'read the vocabulary as cased, whatever the tokenizer files say' },
  {
    flags: '--uncased',
    description: 'lower-case, whatever the tokenizer files say; accents go too unless they keep them',
  },
];

/** For commands that read a model from anywhere: instead of MODEL_OPTION. */
export const LOADING_OPTIONS: readonly OptionDefinition[] = [
  {
    flags: '--model <name>',
    description:
      'a run folder (its best checkpoint), a checkpoint, a model folder, one that was exported, or a name on the hub',
  },
  REVISION_OPTION,
  ...CASING_OPTIONS,
];

/**
 * Options of a command that takes a model in the box where none is given.
 * @param boxed  its name
 */
export function defaultingTo(boxed: string, options: readonly OptionDefinition[]): OptionDefinition[] {
  return options.map((option) =>
    option.flags === '--model <name>'
      ? { ...option, description: `${option.description}. Default: ${boxed}, from the package pleiad-models.` }
      : option,
  );
}

/** For commands that also run a model that is an ONNX file. */
export const ONNX_OPTIONS: readonly OptionDefinition[] = [
  {
    flags: '--onnx <file>',
    description:
      'an ONNX file in the folder of the model to run, such as onnx/model_quantized.onnx. Default: the one of a folder that has no weights.',
  },
  {
    flags: '--onnx-names <pairs>',
    description:
      'what that file calls its inputs and outputs, such as logits=output_0,input_ids=ids. Default: the usual names.',
  },
];

/** ONNX_OPTIONS as the pipelines take them. */
export function onnxOptions({ onnx, onnxNames }: OptionValues): Pick<LoadOptions, 'onnx' | 'onnxNames'> {
  return {
    ...(typeof onnx === 'string' && { onnx }),
    ...(typeof onnxNames === 'string' && { onnxNames: namePairs(onnxNames) }),
  };
}

function namePairs(word: string): Record<string, string> {
  const pairs = word.split(',').map((pair) => /^\s*([^=\s]+)\s*=\s*(.*\S)\s*$/.exec(pair));
  if (pairs.every((pair) => pair !== null)) return Object.fromEntries(pairs.map((pair) => [pair[1], pair[2]]));
  throw new SettingsError([
    `--onnx-names is ${JSON.stringify(word)}; expected pairs with commas between, such as logits=output_0,input_ids=ids`,
  ]);
}

/** @param boxed  the model in the box that is taken where none is given */
export function modelFolder(word: string | boolean | undefined, boxed?: string): string {
  if (typeof word === 'string' && word !== '') return word;
  if (boxed === undefined) throw new SettingsError(['--model is missing; expected a run folder or a model folder']);
  return boxedModel(boxed);
}

/** @throws SettingsError when it is not there */
export function boxedModel(name: string): string {
  try {
    boxedFolder(name);
    return name;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw new SettingsError([
      `--model is missing, and its default is not there: ${error.message}; expected a run folder or a model folder`,
    ]);
  }
}

/** LOADING_OPTIONS as the pipelines take them. */
export function loadingOptions(
  { revision, cased, uncased }: OptionValues,
  output: Output,
): Pick<LoadOptions, 'revision' | 'lowercase' | 'onHubEvent'> {
  if (cased && uncased) throw new SettingsError(['--cased and --uncased are both given; give one']);
  return {
    ...(typeof revision === 'string' && { revision }),
    ...((cased || uncased) && { lowercase: uncased === true }),
    onHubEvent: hubView(output),
  };
}

const MOST_NAMES = 3;

/** As `loadingOptions`, for a pipeline: a note says what of the file it has no use for. */
export function pipelineOptions(
  values: OptionValues,
  output: Output,
): Pick<LoadOptions, 'revision' | 'lowercase' | 'onHubEvent' | 'onLoadReport' | 'onnx' | 'onnxNames'> {
  return {
    ...loadingOptions(values, output),
    ...onnxOptions(values),
    onLoadReport: ({ source, target, unused }) => {
      if (unused.length === 0) return;
      const names = unused.slice(0, MOST_NAMES).map(({ from }) => from);
      const more = unused.length > MOST_NAMES ? ', …' : '';
      output.note(`${target} does not use ${unused.length} of the tensors of ${source}: ${names.join(', ')}${more}`);
    },
  };
}
