import { SettingsError } from '../../errors/errors.js';
import type { StoredDtype } from '../../pretrained/pretrained.node.js';
import type { SharedTask } from '../../studio/sharedPageData.js';
import { type SharedPage, sharePage } from '../../studio/sharePage.node.js';
import type { CommandDefinition } from '../command.js';
import { untilInterrupted } from '../interrupts.js';
import { CASING_OPTIONS, loadingOptions, REVISION_OPTION } from '../modelOption.js';
import type { Output } from '../output.js';
import { CONFIG_OPTION, sourceOptions, TASK_OPTION } from '../sourceOptions.js';

export const share: CommandDefinition = {
  name: 'share',
  summary:
    'Writes a model as one HTML file with the engine inside. Whoever gets it opens it by a double click and asks, labels, ' +
    'marks or proofreads texts; nothing is installed, and nothing that is typed leaves the machine.',
  arguments: [{ name: '<model>', description: 'a folder, a run, a file, an archive, or a name on the hub' }],
  options: [
    { flags: '--out <file>', description: 'the page to write, such as page.html' },
    { flags: '--title <text>', description: "heading of the page. Default: the name of the model's folder." },
    {
      flags: '--dtype <type>',
      description: 'type of the weights in the page. Default int8, a quarter of f32.',
      choices: ['int8', 'f16', 'f32'],
    },
    { flags: '--force', description: 'replace a file of that name' },
    TASK_OPTION,
    CONFIG_OPTION,
    REVISION_OPTION,
    ...CASING_OPTIONS,
  ],
  examples: ['pleiad share qa/ --out ask.html --title "Ask the handbook"', 'pleiad share run/ --out proofread.html'],

  async run([place], options, { output }) {
    const { out, title, dtype, force } = options;
    const problems = [
      ...(place === undefined ? ['the model is missing; expected a folder, a run or a name on the hub'] : []),
      ...(typeof out === 'string' ? [] : ['--out is missing; expected a file, such as page.html']),
    ];
    if (place === undefined || typeof out !== 'string') throw new SettingsError(problems);
    return untilInterrupted(output, async (signal) => {
      const page = await sharePage(place, out, {
        ...loadingOptions(options, output),
        ...sourceOptions(options),
        ...(typeof title === 'string' && { title }),
        ...(typeof dtype === 'string' && { dtype: dtype as StoredDtype }),
        overwrite: force === true,
        signal,
      });
      show(page, out, output);
      return { json: { page: out, ...page } };
    });
  },
};

const READER: Readonly<Record<SharedTask, string>> = {
  ask: 'asks questions about a text',
  classify: 'sees the label of a text',
  tag: 'sees the names in a text',
  proofread: 'sees which words of a text are doubtful',
  fill: 'sees what could stand at a [MASK]',
};

/** Attachments of more than this are refused by many mail servers. */
const MAIL_BYTES = 20e6;
/** An engine of WebAssembly holds weights, and twice while it starts; browsers end a tab at some gigabytes. */
const HEAVY_BYTES = 400e6;

function show(
  { task, architectures, dtype, bytes, parts, relativeError }: SharedPage,
  out: string,
  output: Output,
): void {
  output.line(`${out}: ${megabytes(bytes)}`);
  output.line(`  engine ${megabytes(parts.engine)}, model ${megabytes(parts.model)}, page ${megabytes(parts.page)}`);
  const rounding = dtype === 'int8' ? `, its matrices off by ${(100 * relativeError).toFixed(2)} %` : '';
  output.line(`  ${architectures.join(' and ')}, ${dtype}${rounding}`);
  output.line(`Whoever opens it in a browser ${READER[task]}, without a network.`);
  if (bytes > HEAVY_BYTES) {
    output.line('It is heavy: a phone or a small machine may not open it. A smaller model reads faster, too.');
  } else if (bytes > MAIL_BYTES) {
    output.line('Many mail servers refuse attachments of this size; put it into a shared folder instead.');
  }
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
