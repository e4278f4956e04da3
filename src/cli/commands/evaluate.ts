import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createEngine } from '../../engine/chooseEngine.node.js';
import { CheckpointError, SettingsError } from '../../errors/errors.js';
import { innerPlace, resolveCheckpoint } from '../../pretrained/modelPlaces.node.js';
import { evaluateCheckpoint } from '../../pretraining/evaluateRun.node.js';
import type { CommandDefinition } from '../command.js';
import { ENGINE_OPTIONS, engineOptions } from '../engineOptions.js';
import { MODEL_OPTION, modelFolder } from '../modelOption.js';
import { collectProblems, wholeNumber } from '../numbers.js';
import { heldOutSummary } from '../trainingView.js';

export const evaluate: CommandDefinition = {
  name: 'evaluate',
  summary: 'Measures a model on held-out data.',
  options: [
    MODEL_OPTION,
    { flags: '--data <folder>', description: 'folder of token shards; their held-out split is used' },
    { flags: '--batches <number>', description: 'at most so many batches. Default: all of the held-out text.' },
    {
      flags: '--task <name>',
      description: 'what to measure. Default: what the model was trained for, which is pretraining for all so far.',
      choices: ['pretraining'],
    },
    ...ENGINE_OPTIONS,
  ],
  examples: ['pleiad evaluate --model run/ --data shards/'],

  async run(_words, options, { output }) {
    const given = collectProblems({
      model: () => modelFolder(options.model),
      data: () => required('--data', options.data, 'a folder of token shards'),
      batches: () => wholeNumber('--batches', options.batches, 1),
      engine: () => engineOptions(options),
    });
    const checkpoint = resolveCheckpoint(innerPlace(given.model));
    if (!checkpoint) throw noRun(given.model);
    const engine = await createEngine(given.engine);
    try {
      const result = await evaluateCheckpoint(checkpoint, { data: given.data, engine, maxBatches: given.batches });
      output.line(`${result.checkpoint}, on held-out text of ${given.data}:`);
      for (const line of heldOutSummary(result.heldOut)) output.line(line);
      if (!result.isOwnText) {
        output.line(
          result.heldOut.unigramCrossEntropy === undefined
            ? `  (no unigram baseline: ${given.data} has no training text to take frequencies from)`
            : `  (the unigram baseline is by the frequencies of the training text of ${given.data}, which the model was not trained on)`,
        );
      }
      return { json: result };
    } finally {
      await engine.close();
    }
  },
};

function required(flag: string, word: string | boolean | undefined, expected: string): string {
  if (typeof word === 'string' && word !== '') return word;
  throw new SettingsError([`${flag} is missing; expected ${expected}`]);
}

/** One half of a checkpoint, or a model from elsewhere, is a model and yet not enough. */
function noRun(folder: string): CheckpointError {
  const around = resolve(folder, '..');
  const isHalf = existsSync(join(folder, 'config.json'));
  const advice = existsSync(join(around, 'trainer.json'))
    ? `Give the whole checkpoint: --model ${around}`
    : isHalf
      ? 'A model alone has no objective to be measured by; give the run that it comes from'
      : 'Check the name of the folder';
  return new CheckpointError(`${folder} is ${isHalf ? 'one model' : 'neither a run nor a checkpoint'}`, {
    subject: folder,
    expected: 'a folder that `pleiad pretrain` wrote, which holds both halves',
    advice,
  });
}
