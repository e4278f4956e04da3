import { explainSettings } from '../../pretraining/explainSettings.js';
import { pretrainToFolder } from '../../pretraining/loadStart.node.js';
import { type PretrainingInput, pretrainingSchema } from '../../pretraining/settings.js';
import { kebabCase } from '../../settings/commandLine.js';
import type { CommandDefinition, CommandResult, OptionDefinition } from '../command.js';
import { readConfigFile } from '../configFile.js';
import type { Output } from '../output.js';
import { PRETRAINING_GROUPS } from '../pretrainingGroups.js';
import { groupedSettingsOptions, settingsFromOptions, settingWords } from '../settingsOptions.js';
import {
  CONFIG_FILE_OPTION,
  nameSettingsOfFile,
  RANK_TIMEOUT_OPTION,
  resultOf,
  runTraining,
} from '../trainingCommand.js';
import { runJson, runSummary, TrainingView } from '../trainingView.js';

const DRY_RUN_OPTION: OptionDefinition = {
  flags: '--dry-run',
  description: 'prints every setting that the run would have, with where its value comes from, and trains nothing',
  shownBy: 'all',
};

export const pretrain: CommandDefinition = {
  name: 'pretrain',
  summary: 'Pre-trains a model on token shards and writes a run folder.',
  options: [
    CONFIG_FILE_OPTION,
    DRY_RUN_OPTION,
    ...groupedSettingsOptions(pretrainingSchema, PRETRAINING_GROUPS),
    RANK_TIMEOUT_OPTION,
  ],
  examples: [
    'pleiad pretrain --data shards/ --out run/ --size tiny --time 10m',
    'pleiad pretrain --size mini --dry-run',
    'pleiad pretrain --out run/ --resume',
    'pleiad pretrain --out run/ --resume --more 1h',
    'pleiad pretrain --from google/electra-small-discriminator --generator google/electra-small-generator --data shards/ --out run/ --time 2h',
    'mpirun -np 4 -H node1,node2,node3,node4 pleiad pretrain --data shards/ --out run/ --size base --steps 100000',
  ],

  async run(_words, options, { output }) {
    const { rankTimeout, dryRun, ...rest } = options;
    const file = readConfigFile(options.config);
    const settings = settingsFromOptions(pretrainingSchema, rest, file);
    if (typeof options.config === 'string')
      nameSettingsOfFile(options.config, file, settingWords(pretrainingSchema, rest));
    if (dryRun) return explain(settings, output);
    return runTraining(
      {
        train: (running) => pretrainToFolder(settings, running),
        view: (own) => new TrainingView(own),
        summary: (done) => runSummary(resultOf(done)),
        json: (done) => runJson(resultOf(done)),
      },
      { output, rankTimeout },
    );
  },
};

/** Every setting as a flag with its value and where that comes from. */
function explain(given: Partial<PretrainingInput>, output: Output): CommandResult {
  const settings = explainSettings(given);
  const words = (value: unknown) =>
    Array.isArray(value) ? value.join(',') : typeof value === 'object' ? JSON.stringify(value) : String(value);
  const rows = settings.map(({ name, value, source }) => [`--${kebabCase(name)}`, words(value), source] as const);
  const widths = [0, 1].map((column) => rows.reduce((most, row) => Math.max(most, row[column].length), 0));
  for (const [flag, value, source] of rows) {
    output.line(`${flag.padEnd(widths[0])}  ${value.padEnd(Math.min(widths[1], 40))}  ${source}`);
  }
  return {
    json: { settings: Object.fromEntries(settings.map(({ name, value, source }) => [name, { value, source }])) },
  };
}
