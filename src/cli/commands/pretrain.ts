import { PleiadError } from '../../errors.js';
import type { DoneEvent } from '../../training/events.js';
import { pretrainToFolder } from '../../training/pretrainNode.js';
import { type CommandDefinition, EXIT } from '../command.js';
import { readConfigFile } from '../configFile.js';
import { listenForInterrupts } from '../interrupts.js';
import { settingsFromOptions, settingsOptions } from '../settingsOptions.js';
import { runJson, runSummary, TrainingView } from '../trainingView.js';

export const pretrain: CommandDefinition = {
  name: 'pretrain',
  summary: 'Pre-trains a model on token shards and writes a run folder.',
  options: [
    {
      flags: '--config <file>',
      description: 'settings in YAML or JSON, by the names below in camelCase; flags go over them',
    },
    ...settingsOptions(),
  ],
  examples: [
    'pleiad pretrain --data shards/ --out run/ --size tiny --time 10m',
    'pleiad pretrain --out run/ --resume',
    'pleiad pretrain --config run.yaml --learning-rate 1e-3',
  ],

  async run(_words, options, { output }) {
    const settings = settingsFromOptions(options, readConfigFile(options.config));
    const view = new TrainingView(output);
    const interrupts = listenForInterrupts(() =>
      output.line('interrupted: finishing the step and writing a checkpoint (again to leave at once)'),
    );
    try {
      let done: DoneEvent | undefined;
      for await (const event of pretrainToFolder(settings, { signal: interrupts.signal })) {
        view.show(event);
        if (event.type === 'done') done = event;
      }
      if (!done) throw new PleiadError('training ended without a result');
      for (const line of runSummary(done)) output.line(line);
      if (done.interrupted) output.line('Go on with --resume.');
      return { json: runJson(done), exitCode: done.interrupted ? EXIT.interrupted : EXIT.success };
    } finally {
      interrupts.stop();
    }
  },
};
