import { SettingsError } from '../../errors/errors.js';
import type { StoredDtype } from '../../pretrained/pretrained.node.js';
import { type PruneResult, pruneModel } from '../../pretrained/pruneModel.node.js';
import type { CommandDefinition } from '../command.js';
import { untilInterrupted } from '../interrupts.js';
import { CASING_OPTIONS, loadingOptions, REVISION_OPTION } from '../modelOption.js';
import { collectProblems, grouped, wholeNumber } from '../numbers.js';
import type { Output } from '../output.js';
import { readPaths } from '../proofreadTexts.js';
import { HALF_OPTION, sourceOptions, TASK_OPTION } from '../sourceOptions.js';

export const prune: CommandDefinition = {
  name: 'prune',
  summary:
    'Makes a model smaller by its vocabulary: word pieces that a text never needs are left out, the rest stays as it is; says what that costs.',
  arguments: [
    { name: '<source>', description: 'a folder, a run (both models of a pair), or a name on the hub' },
    { name: '<folder>', description: 'where to write; a new or an empty folder' },
    { name: '<texts...>', description: 'files and folders of text that the model is for' },
  ],
  options: [
    {
      flags: '--size <number>',
      description: 'word pieces at most, the most frequent of the text. Default all that occur in it.',
    },
    {
      flags: '--length <number>',
      description: 'longest row in tokens; positions beyond it are left out. Default as before.',
    },
    {
      flags: '--dtype <type>',
      description: 'type of the weights that are written, as of convert. Default f32.',
      choices: ['f32', 'f16', 'int8'],
    },
    HALF_OPTION,
    TASK_OPTION,
    REVISION_OPTION,
    ...CASING_OPTIONS,
  ],
  examples: [
    'pleiad prune run/ small/ corpus/ --dtype int8',
    'pleiad prune SpanBERT/spanbert-base-cased small/ corpus/ --size 8000 --task encoder',
  ],

  async run([source, folder, ...paths], options, { output }) {
    const { size, length } = collectProblems({
      size: () => wholeNumber('--size', options.size, 1),
      length: () => wholeNumber('--length', options.length, 5),
      texts: () => requireTexts(paths),
    });
    return untilInterrupted(output, async (signal) => {
      const texts = (await readPaths(paths)).flatMap(({ text }) =>
        text.split(/\n+/).filter((line) => line.trim() !== ''),
      );
      const { config: _, ...chosen } = sourceOptions(options);
      const { dtype } = options;
      const result = await pruneModel(source, folder, {
        ...loadingOptions(options, output),
        ...chosen,
        texts,
        ...(size !== undefined && { size }),
        ...(length !== undefined && { length }),
        ...(dtype !== undefined && { dtype: dtype as StoredDtype }),
        signal,
      });
      show(result, folder, output);
      const { loss, pieces, piecesBefore, models } = result;
      const bytes = models.reduce((sum, model) => sum + model.bytes, 0);
      return { json: { folder, piecesBefore, pieces, bytes, loss } };
    });
  },
};

function requireTexts(paths: readonly string[]): void {
  if (paths.length === 0)
    throw new SettingsError(['there is no text; expected files or folders of the text that the model is for']);
}

function show({ models, pieces, piecesBefore, loss }: PruneResult, folder: string, output: Output): void {
  output.line(`${grouped(pieces)} of ${grouped(piecesBefore)} word pieces stay`);
  const { texts, tokensBefore, tokensAfter, newUnknown, meanDistance, largestDistance } = loss;
  const more = (100 * (tokensAfter / tokensBefore - 1)).toFixed(2);
  output.line(
    `on ${grouped(texts)} lines that were not counted: ${more} % more tokens, ${grouped(newUnknown)} more [UNK]`,
  );
  output.line(
    `  their mean vectors move by a cosine distance of ${meanDistance.toPrecision(2)}, at most ${largestDistance.toPrecision(2)}`,
  );
  for (const { model, dtype, bytes, files } of models) {
    output.line(`${folder}: ${model.model.architecture}, ${dtype}, ${grouped(bytes)} bytes, ${files.join(', ')}`);
  }
}
