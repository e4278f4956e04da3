import { SettingsError } from '../../errors/errors.js';
import { type FetchedModel, fetchModel } from '../../hub/fetchModel.node.js';
import type { WeightFormat } from '../../hub/modelFiles.js';
import type { CommandDefinition } from '../command.js';
import { hubView } from '../hubView.js';
import { REVISION_OPTION } from '../modelOption.js';
import type { Output } from '../output.js';

const FORMATS: readonly WeightFormat[] = ['safetensors', 'pytorch', 'tensorflow', 'onnx'];

export const download: CommandDefinition = {
  name: 'download',
  summary:
    'Fetches a model from the hub into the cache that Python shares, for instance before going offline. What was ' +
    'interrupted goes on where it stopped.',
  arguments: [{ name: '<name>', description: 'a repository, such as google/electra-small-discriminator' }],
  options: [
    REVISION_OPTION,
    {
      flags: '--formats <list>',
      description: `formats of weights that will do, the preferred first: ${FORMATS.join(', ')}. Default safetensors,pytorch.`,
    },
  ],
  examples: [
    'pleiad download google/electra-small-generator',
    'HF_TOKEN=hf_… pleiad download me/private --revision v2',
  ],

  async run([name], options, { output }) {
    const formats = formatList(options.formats);
    const revision = options.revision as string | undefined;
    const model = await fetchModel(name, { revision, formats, onHubEvent: hubView(output) });
    show(model, output);
    return { json: model };
  },
};

function formatList(word: string | boolean | undefined): WeightFormat[] | undefined {
  if (typeof word !== 'string') return undefined;
  return word.split(',').map((name) => {
    const format = FORMATS.find((known) => known === name.trim());
    if (format) return format;
    throw new SettingsError([`--formats has ${JSON.stringify(name)}; expected ${FORMATS.join(', ')}`]);
  });
}

function show({ folder, weights, tokenizer, hub }: FetchedModel, output: Output): void {
  output.line(folder);
  output.line(`  weights: ${weights?.files.join(', ')}`);
  output.line(`  tokenizer: ${tokenizer.join(', ') || 'none'}`);
  if (hub) output.line(`  commit ${hub.commit}${hub.fetched ? '' : ', all of it in the cache already'}`);
}
