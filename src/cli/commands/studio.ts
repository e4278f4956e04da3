import { nameSettingsBy } from '../../settings/settingNames.js';
import { startStudio, studioSettingsSchema } from '../../studio/studioServer.node.js';
import type { CommandDefinition } from '../command.js';
import { ENGINE_OPTIONS, engineOptions } from '../engineOptions.js';
import { runUntilInterrupted } from '../interrupts.js';
import { settingsFromOptions, settingsOptions } from '../settingsOptions.js';

export const studio: CommandDefinition = {
  name: 'studio',
  summary: 'Opens Pleiad Studio on this machine: play with models, and watch them learn, in a browser.',
  arguments: [
    {
      name: '[places...]',
      description:
        'models and runs to offer beside those in the box: folders or names on the hub; each has the last part of its path as id, or one of its own: qa=runs/qa',
    },
  ],
  options: [
    ...settingsOptions(studioSettingsSchema),
    {
      flags: '--data <folders...>',
      description: 'folders of prepared text to train on, as `pleiad prepare` writes them',
    },
    ...ENGINE_OPTIONS,
  ],
  examples: ['pleiad studio', 'pleiad studio qa=runs/qa', 'pleiad studio --data shards-en/ --runs runs/'],

  async run(words, options, { output, lists = {} }) {
    const { data } = lists;
    const settings = settingsFromOptions(studioSettingsSchema, options, {});
    const running = await startStudio(words, settings, { ...engineOptions(options), data });
    // From here on it speaks to the page, which writes properties and no flags.
    nameSettingsBy();
    const models = await running.models.list();
    output.line(`open ${output.style(running.address, 'bold')}`);
    output.line('The address holds a token of this start; without it nobody gets in. Ctrl-C ends it.');
    if (models.length > 0) output.line(`models: ${models.map(({ id }) => id).join(', ')}`);
    await runUntilInterrupted(
      () => output.line('stopping: a run that is training writes a checkpoint'),
      () => running.stop(),
    );
    return { json: { url: running.url } };
  },
};
