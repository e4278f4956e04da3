import { pretrainToFolder } from '../../pretraining/loadStart.node.js';
import { pretrainingSchema } from '../../pretraining/settings.js';
import type { CommandDefinition } from '../command.js';
import { readConfigFile } from '../configFile.js';
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

export const pretrain: CommandDefinition = {
  name: 'pretrain',
  summary: 'Pre-trains a model on token shards and writes a run folder.',
  options: [CONFIG_FILE_OPTION, ...groupedSettingsOptions(pretrainingSchema, PRETRAINING_GROUPS), RANK_TIMEOUT_OPTION],
  examples: [
    'pleiad pretrain --data shards/ --out run/ --size tiny --time 10m',
    'pleiad pretrain --out run/ --resume',
    'pleiad pretrain --out run/ --resume --more 1h',
    'pleiad pretrain --from google/electra-small-discriminator --generator google/electra-small-generator --data shards/ --out run/ --time 2h',
    'pleiad pretrain --config run.yaml --learning-rate 1e-3',
    'mpirun -np 4 -H node1,node2,node3,node4 pleiad pretrain --data shards/ --out run/ --size base --steps 100000',
  ],

  async run(_words, options, { output }) {
    const { rankTimeout, ...rest } = options;
    const file = readConfigFile(options.config);
    const settings = settingsFromOptions(pretrainingSchema, rest, file);
    if (typeof options.config === 'string')
      nameSettingsOfFile(options.config, file, settingWords(pretrainingSchema, rest));
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
