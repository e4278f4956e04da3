import { checkpointOf } from '../../checkpoint/runFile.node.js';
import { readTrainerFile } from '../../checkpoint/trainerFile.node.js';
import { SettingsError } from '../../errors/errors.js';
import { finetune as finetuneToFolder } from '../../tasks/finetune.node.js';
import { fineTuningSchema } from '../../tasks/settings.js';
import type { DoneEvent } from '../../training/events.js';
import { CLASSIFICATION_WORDS, classificationSummary } from '../classificationWords.js';
import type { CommandDefinition } from '../command.js';
import { readConfigFile } from '../configFile.js';
import { FINE_TUNING_GROUPS } from '../fineTuningGroups.js';
import { groupedSettingsOptions, settingsFromOptions, settingWords } from '../settingsOptions.js';
import { CONFIG_FILE_OPTION, nameSettingsOfFile, RANK_TIMEOUT_OPTION, runTraining } from '../trainingCommand.js';
import { speedLine, TrainingView } from '../trainingView.js';

export const finetune: CommandDefinition = {
  name: 'finetune',
  summary: 'Fine-tunes an encoder for a task on rows with labels and writes a run folder.',
  arguments: [{ name: '[config]', description: 'a settings file, as --config takes it' }],
  options: [CONFIG_FILE_OPTION, ...groupedSettingsOptions(fineTuningSchema, FINE_TUNING_GROUPS), RANK_TIMEOUT_OPTION],
  examples: [
    'pleiad finetune --task text-classification --from google/electra-small-discriminator --train train.csv --dev dev.csv --columns text=Review,label=Stars --out run/',
    'pleiad finetune --out run/ --resume',
    'pleiad finetune reviews.yaml --learning-rate 1e-4',
  ],

  async run([word], options, { output }) {
    const { rankTimeout, ...rest } = options;
    if (word !== undefined && options.config !== undefined) {
      throw new SettingsError([`a settings file is given twice: ${word} and --config ${options.config}; give one`]);
    }
    const path = word ?? options.config;
    const file = withData(readConfigFile(path));
    const settings = settingsFromOptions(fineTuningSchema, rest, file);
    if (typeof path === 'string') nameSettingsOfFile(path, file, settingWords(fineTuningSchema, rest));
    const out = String(settings.out);
    return runTraining(
      {
        train: (running) => finetuneToFolder(settings, running),
        view: (own) => new TrainingView(own, CLASSIFICATION_WORDS),
        summary: (done) => summary(out, done),
        json: (done) => ({ ...numbersOf(done), ...bestOf(out), model: out }),
      },
      { output, rankTimeout },
    );
  },
};

/** Train, dev and columns may stand together under `data`. */
function withData({ data, ...file }: Record<string, unknown>): Record<string, unknown> {
  if (data === undefined) return file;
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return { ...file, data };
  return { ...(data as object), ...file };
}

/** The best checkpoint, which is what the run is used by. */
function bestOf(out: string) {
  const checkpoint = checkpointOf(out, 'best');
  const { progress, evaluation } = readTrainerFile(checkpoint);
  return { metrics: evaluation?.metrics ?? {}, best: { step: progress.step, checkpoint } };
}

function numbersOf({ type: _, step: __, metrics, ...done }: DoneEvent): object {
  return { ...done, ...(metrics && { lastMetrics: metrics }) };
}

function summary(out: string, done: DoneEvent): string[] {
  const { metrics, best } = bestOf(out);
  return [
    speedLine(done),
    `best on the dev data, step ${best.step}:`,
    ...classificationSummary(metrics),
    `checkpoint: ${best.checkpoint}`,
    `Use it: pleiad classify --model ${out} "a text"`,
  ];
}
