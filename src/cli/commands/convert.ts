import { join } from 'node:path';
import { describeLoadReport } from '../../checkpoint/loadReport.js';
import { SettingsError } from '../../errors/errors.js';
import { type Conversion, type ConvertOptions, convertModel, convertPair } from '../../pretrained/convert.node.js';
import type { StoredDtype } from '../../pretrained/pretrained.node.js';
import type { CommandDefinition, OptionValues } from '../command.js';
import { untilInterrupted } from '../interrupts.js';
import { CASING_OPTIONS, loadingOptions, REVISION_OPTION } from '../modelOption.js';
import { grouped, wholeNumber } from '../numbers.js';
import type { Output } from '../output.js';
import { CONFIG_OPTION, HALF_OPTION, sourceOptions, TASK_OPTION } from '../sourceOptions.js';

/** The value of --half for both models of a pair. */
const BOTH = 'both';

export const convert: CommandDefinition = {
  name: 'convert',
  summary:
    'Writes a checkpoint of any kind (safetensors, PyTorch .bin, TensorFlow 1, SpanBERT archives) as a model folder in ' +
    'Hugging Face layout, and says what became of every tensor.',
  arguments: [
    { name: '<source>', description: 'a folder, a run, a file, an archive, or a name on the hub' },
    { name: '<folder>', description: 'where to write; a new or an empty folder' },
  ],
  options: [
    {
      flags: '--dtype <type>',
      description:
        'type of the weights that are written. int8: matrices in 8 bits, a quarter of the size, for Pleiad alone. Default: f16 where all are that already, else f32.',
      choices: ['f32', 'f16', 'int8'],
    },
    TASK_OPTION,
    {
      flags: '--new-head',
      description: 'a head that the source does not have starts at random, to be trained. Default: that is an error.',
    },
    {
      flags: '--labels <names>',
      description: 'with --new-head: labels of a classifier, commas between. Default: two.',
    },
    { flags: '--seed <number>', description: 'with --new-head: of its random weights. Default 0.' },
    {
      ...HALF_OPTION,
      description: `${HALF_OPTION.description} Both: as the folders discriminator and generator, with what they share written once.`,
      choices: [...(HALF_OPTION.choices ?? []), BOTH],
    },
    CONFIG_OPTION,
    REVISION_OPTION,
    ...CASING_OPTIONS,
  ],
  examples: [
    'pleiad convert SpanBERT/spanbert-base-cased spanbert/ --task encoder',
    'pleiad convert electra_small/ generator/ --half generator',
    'pleiad convert run/ model/ --dtype f16',
    'pleiad convert run/ small/ --half both --dtype int8',
    'pleiad convert run/ start/ --task sequence-classification --new-head --labels no,yes',
  ],

  async run([source, folder], options, { output }) {
    if (source === undefined || folder === undefined)
      throw new SettingsError(['two names are needed: source and folder']);
    const { dtype, half, ...others } = options;
    const isPair = half === BOTH;
    const refused = Object.entries({ '--task': options.task, '--new-head': options.newHead }).filter(
      ([, value]) => value,
    );
    if (isPair && refused.length > 0) {
      throw new SettingsError(refused.map(([flag]) => `${flag} is given with --half ${BOTH}; give one half`));
    }
    return untilInterrupted(output, async (signal) => {
      const settings = {
        ...loadingOptions(options, output),
        ...sourceOptions(isPair ? others : options),
        ...newHeadOptions(options),
        dtype: dtype as StoredDtype | undefined,
        signal,
      };
      if (!isPair) {
        const conversion = await convertModel(source, folder, settings);
        show(conversion, folder, output);
        return { json: summary(conversion, folder) };
      }
      const { shared, ...halves } = await convertPair(source, folder, settings);
      const shown = Object.entries(halves).map(([name, conversion]) => [join(folder, name), conversion] as const);
      for (const [place, conversion] of shown) show(conversion, place, output);
      output.line(`  shared: ${shared.length} tensors of both are written once, in ${join(folder, 'discriminator')}`);
      return { json: { models: shown.map(([place, conversion]) => summary(conversion, place)), shared } };
    });
  },
};

function newHeadOptions({ newHead, labels, seed }: OptionValues): Partial<ConvertOptions> {
  const names = typeof labels === 'string' ? labels.split(',').map((name) => name.trim()) : undefined;
  const isWrong = names && (names.includes('') || new Set(names).size < names.length);
  const given = { '--labels': labels, '--seed': seed };
  const problems = [
    ...Object.entries(given).flatMap(([flag, value]) =>
      value !== undefined && !newHead
        ? [`${flag} is given and --new-head is not; a head that is there has its own`]
        : [],
    ),
    ...(isWrong
      ? [`--labels is ${JSON.stringify(labels)}; expected different names with commas between, such as no,yes`]
      : []),
  ];
  if (problems.length > 0) throw new SettingsError(problems);
  const number = wholeNumber('--seed', seed, 0);
  return {
    newHead: newHead === true,
    ...(names && { labels: names }),
    ...(number !== undefined && { seed: number }),
  };
}

function show(
  { model, report, dtype, files, bytes, roundedValues, eightBit }: Conversion,
  folder: string,
  output: Output,
): void {
  for (const line of describeLoadReport(report)) output.line(line);
  const fresh = report.initialized.length;
  if (fresh > 0) output.line(`  new, from random weights: ${fresh} tensors`);
  if (model.guessedConfig) {
    output.line('  no config.json: sizes are those of the tensors, with 64 units a head, as all released models have');
  }
  if (!model.tokenizer) output.line('  no tokenizer beside it: none was written');
  if (roundedValues > 0) output.line(`  ${grouped(roundedValues)} values were rounded to f16`);
  if (eightBit.matrices > 0) {
    const error = (100 * eightBit.relativeError).toFixed(2);
    output.line(
      `  int8: ${eightBit.matrices} matrices, off by ${error} % of their weights (root mean square); the rest is f16`,
    );
  }
  const size = `${grouped(bytes)} bytes`;
  output.line(`${folder}: ${model.model.architecture}, ${dtype}, ${size}, ${files.join(', ')}`);
}

function summary({ model, report, dtype, files, bytes, roundedValues, eightBit }: Conversion, folder: string) {
  return {
    source: report.source,
    format: report.format,
    folder,
    architecture: model.model.architecture,
    dtype,
    tensors: model.tensors.size,
    loaded: report.loaded,
    converted: report.converted,
    tied: report.tied,
    missing: report.missing,
    unexpected: report.unused,
    initialized: report.initialized,
    roundedValues,
    eightBit,
    bytes,
    configFromShapes: model.guessedConfig,
    tokenizer: model.tokenizer !== undefined,
    files,
  };
}
