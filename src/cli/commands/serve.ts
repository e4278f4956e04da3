import { SettingsError } from '../../errors/errors.js';
import { BOXED } from '../../hub/boxedNames.js';
import { boxedModels } from '../../hub/modelsPackage.node.js';
import type { ModelEvent } from '../../serving/servedModel.js';
import { startServer } from '../../serving/server.node.js';
import { servingSettingsSchema } from '../../serving/servingSettings.js';
import { nameSettingsBy } from '../../settings/settingNames.js';
import { collectEarly } from '../collectEarly.js';
import type { CommandDefinition } from '../command.js';
import { ENGINE_OPTIONS, engineOptions } from '../engineOptions.js';
import { runUntilInterrupted } from '../interrupts.js';
import { CASING_OPTIONS, loadingOptions, REVISION_OPTION } from '../modelOption.js';
import type { Output } from '../output.js';
import { settingsFromOptions, settingsOptions } from '../settingsOptions.js';

export const serve: CommandDefinition = {
  name: 'serve',
  summary:
    'Puts models behind a port: for clients of Hugging Face, text-embeddings-inference and OpenAI, and for your own.',
  arguments: [
    {
      name: '[places...]',
      description: `runs, model folders or names on the hub; each has the last part of its path as id, or one of its own: qa=runs/qa. Default: ${Object.values(BOXED).join(' and ')}, as far as the package pleiad-models has them.`,
    },
  ],
  options: [
    ...settingsOptions(servingSettingsSchema),
    { flags: '--quiet', description: 'no line for each request' },
    REVISION_OPTION,
    ...CASING_OPTIONS,
    ...ENGINE_OPTIONS,
  ],
  examples: [
    'pleiad serve',
    'pleiad serve runs/reviews',
    'pleiad serve qa=runs/qa en=runs/english --port 9000',
    'PLEIAD_API_KEY=$(openssl rand -hex 24) pleiad serve runs/reviews --host 0.0.0.0',
  ],

  async run(words, options, { output }) {
    const settings = settingsFromOptions(servingSettingsSchema, options, {});
    const { threads, engine, device, precision } = engineOptions(options);
    const { lowercase, revision, onHubEvent } = loadingOptions(options, output);
    collectEarly();
    const server = await startServer(words.length > 0 ? words : boxedPlaces(), settings, {
      ...{ threads, engine, device, precision, lowercase, revision, onHubEvent },
      ...(!options.quiet && { log: 'stderr' }),
      onModel: (event) => showEvent(event, output),
    });
    // From here on it speaks to clients, who write properties and no flags.
    nameSettingsBy();
    output.line(`listening at ${output.style(server.url, 'bold')}, its routes: ${server.url}/docs`);
    for (const { id, card } of server.models.all) {
      if (card) output.line(`  ${id}: ${card.pipelines.join(', ')}`);
    }
    await runUntilInterrupted(
      () => output.line('stopping: answering what was accepted'),
      () => server.stop(),
    );
    return { json: { url: server.url } };
  },
};

/** @throws SettingsError when none is there */
function boxedPlaces(): string[] {
  const usual: readonly string[] = Object.values(BOXED);
  const there = boxedModels().flatMap(({ name }) => (usual.includes(name) ? [name] : []));
  if (there.length > 0) return there;
  throw new SettingsError([
    `no model is given, and the package pleiad-models with ${usual.join(' and ')} is not there; expected a run, a model folder or a name on the hub`,
  ]);
}

function showEvent({ type, model, error, elapsedMs }: ModelEvent, output: Output): void {
  const seconds = elapsedMs === undefined ? '' : ` in ${(elapsedMs / 1000).toFixed(1)} s`;
  if (type === 'loaded') output.line(`${model}: loaded${seconds}`);
  else if (type === 'reloaded') output.line(`${model}: its folder has changed, the new model is loaded${seconds}`);
  else if (type === 'died') output.note(`${model}: ${error?.message}`);
  else if (type === 'load-failed') output.note(`${model}: not loaded, /readyz says so too: ${error?.message}`);
  else
    output.note(`${model}: its folder has changed and does not load; the model before it goes on: ${error?.message}`);
}
